import { parseUrl } from '@cds/network';
import type { Dump, TargetAnswer } from './call-target';
import { decodedIfValid, type TargetRequest } from './target-request';
import { createMasking, type Masking, type Secret, TooMuchToMaskError } from './mask-secrets';

export type CallToShow = Pick<TargetAnswer, 'request' | 'response'> | { error: string };

export interface CallLogOrder {
  call: CallToShow;
  secrets: readonly Secret[];
}

const MAX_MESSAGE_LENGTH = 1_000;

/** The log of a call with masked secrets, or why it cannot be shown. */
export function callLogOf(order: CallLogOrder): string {
  try {
    return maskedLogOf(order);
  } catch (error) {
    if (!(error instanceof TooMuchToMaskError)) throw error;
    return notShown(error.message);
  }
}

/** @throws TooMuchToMaskError */
export function maskedLogOf({ call, secrets }: CallLogOrder, mostLooks?: number): string {
  const masking = createMasking(secrets, mostLooks);
  return 'error' in call
    ? masking.mask(call.error).slice(0, MAX_MESSAGE_LENGTH)
    : showCall(call, masking);
}

/** Stands in place of a log that cannot be shown. */
export function notShown(reason: string): string {
  return `What was sent and answered is not shown, since its secrets cannot be masked: ${reason}.`;
}

/** In the format of CDS. */
function showCall(call: Exclude<CallToShow, { error: string }>, masking: Masking): string {
  const show = ({ head, body, isCut }: Dump): string =>
    masking.mask(head) +
    (isCut ? `${masking.maskCut(body)}\n… (cut off here)` : masking.mask(body));
  return `Request:\n${show(call.request)}\n\nResponse:\n${show(call.response)}`;
}

/** Credentials in a header or in the URL, which need not be variables of CDS. */
export function credentialsOf({ headers, url }: TargetRequest): Secret[] {
  const values = Object.entries(headers)
    .filter(([name]) => /^(proxy-)?authorization$/i.test(name))
    .flatMap(([, value]) => [value, value.slice(value.indexOf(' ') + 1)]);
  const { username, password } = parseUrl(url) ?? { username: '', password: '' };
  const plain = [username, password].map(decodedIfValid);
  if (username !== '' || password !== '')
    values.push(Buffer.from(plain.join(':')).toString('base64'), password, plain[1] ?? '');
  return [...new Set(values)]
    .filter((value) => value !== '')
    .map((value) => ({ name: 'Authorization', value }));
}
