/** A spelling as short as this would be found everywhere. */
const SHORT = 3;

/** Bitbucket's tokens have more than 2,500 characters; no word is this long. */
const TOKEN = /[\w~+=-]{200,}/g;

/**
 * `text` without `secrets`, in plain or as a form, a JSON text or a Basic header holds them; and
 * without all that looks like a token, which may be an earlier one.
 */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .flatMap(spellings)
    .reduce((rest, spelling) => rest.replaceAll(spelling, '[hidden]'), text)
    .replace(TOKEN, '[hidden]');
}

function spellings(secret: string): string[] {
  return [
    secret,
    new URLSearchParams([['', secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    // Without its end, which depends on what follows.
    Buffer.from(secret)
      .toString('base64')
      .replace(/.?={0,2}$/, ''),
  ].filter((spelling) => spelling.length > SHORT);
}
