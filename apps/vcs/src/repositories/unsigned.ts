/** Bitbucket Cloud shows no signature of a commit or a tag. */
export const UNSIGNED = { verified: false, signature: '', key_id: '' };
