/** Characters of an error's message: it goes to the log and is kept with executions. */
const MAX_MESSAGE_LENGTH = 2_000;

/** An answer may echo what it was sent, at any length: `message` without `secrets`, and cut. */
export function toSafeMessage(message: string, secrets: readonly (string | undefined)[]): string {
  return (
    secrets
      .flatMap((secret) => (secret ? spellings(secret) : []))
      .reduce((text, spelling) => text.replaceAll(spelling, '***'), message)
      // Last, so that no part of a secret is left at the end.
      .slice(0, MAX_MESSAGE_LENGTH)
  );
}

/** How a secret is sent: as it is, within a JSON text, as `X_AUTH_HEADER`. */
function spellings(secret: string): string[] {
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret)
      .toString('base64')
      .replace(/={1,2}$/, ''),
  ];
}
