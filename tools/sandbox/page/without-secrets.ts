/** What an address of OAuth carries that is good for something: a code, a state, a token. */
const IN_QUERY = /([?&](?:code|state|token|secret|access_token|refresh_token)=)[^&\s]+/g;
/** Bitbucket's tokens are longer than anything else that is shown in one piece. */
const LONG = /[\w.~+/=-]{200,}/g;

/** Text without what could be used by whoever reads it. */
export function withoutSecrets(text: string): string {
  return text.replace(IN_QUERY, '$1…').replace(LONG, '…');
}
