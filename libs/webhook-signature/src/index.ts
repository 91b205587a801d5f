export { isSignedBy, SIGNATURE_HEADER, signatureOf } from './signature';
export { hookUuidOf, webhookSecret } from './webhook-secret';
