/** A secret that stands where it must not. */
export interface Leak {
  where: string;
  /** The name of the secret, not its value. */
  secret: string;
  form: string;
  /** What stands around it, without it. */
  near: string;
}

/** Of a long secret no part may be seen either. */
const PIECE = 32;

/**
 * Looks for secrets in text or bytes, in every form that they take on their way: as they are, as
 * part of a JSON text or of one in another, URL-encoded, base64 at any offset and in both
 * alphabets, hexadecimal; long ones also in pieces.
 *
 * @param secrets values by names
 */
export function createSecretSearch(secrets: ReadonlyMap<string, string>) {
  const wanted = [...secrets].flatMap(([secret, value]) =>
    piecesOf(value).flatMap((piece) =>
      [...formsOf(piece)].map(([text, form]) => ({ secret, form, text })),
    ),
  );
  return function searchIn(where: string, haystack: string | Buffer): Leak[] {
    const text = typeof haystack === 'string' ? haystack : haystack.toString('latin1');
    const leaks = new Map<string, Leak>();
    for (const { secret, form, text: needle } of wanted) {
      const at = text.indexOf(needle);
      if (at < 0) continue;
      const near = `${text.slice(Math.max(0, at - 120), at)}[…]${text.slice(at + needle.length, at + needle.length + 40)}`;
      leaks.set(`${secret} ${form}`, { where, secret, form, near });
    }
    return [...leaks.values()];
  };
}

/** The whole, or its beginning, middle and end. */
function piecesOf(value: string): string[] {
  if (value.length < 8) throw new Error('a secret of less than 8 characters is found everywhere');
  if (value.length <= 2 * PIECE) return [value];
  const middle = Math.floor(value.length / 2);
  return [value.slice(0, PIECE), value.slice(middle, middle + PIECE), value.slice(-PIECE)];
}

function formsOf(value: string): Map<string, string> {
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  const spellings = new Map([
    [value, 'plain'],
    [json, 'JSON'],
    [JSON.stringify(json).slice(1, -1), 'JSON in JSON'],
    [url, 'URL-encoded'],
    [encodeURIComponent(url), 'URL-encoded twice'],
    [new URLSearchParams([['', value]]).toString().slice(1), 'form-encoded'],
  ]);
  const forms = new Map<string, string>();
  for (const [spelling, name] of spellings) {
    const bytes = Buffer.from(spelling);
    add(bytes.toString('latin1'), name);
    add(bytes.toString('hex'), `${name}, hexadecimal`);
    add(bytes.toString('hex').toUpperCase(), `${name}, hexadecimal`);
    for (const offset of [0, 1, 2]) {
      add(base64Within(bytes, offset, 'base64'), `${name}, base64`);
      add(base64Within(bytes, offset, 'base64url'), `${name}, base64url`);
    }
  }
  return forms;

  function add(text: string, name: string): void {
    if (!forms.has(text)) forms.set(text, name);
  }
}

/** What is the same in base64 whatever stands before and after the bytes. */
function base64Within(bytes: Buffer, offset: number, alphabet: 'base64' | 'base64url'): string {
  const before = Math.ceil((offset * 8) / 6);
  const whole = Math.floor(((offset + bytes.length) * 8) / 6);
  return Buffer.concat([Buffer.alloc(offset), bytes])
    .toString(alphabet)
    .slice(before, whole);
}
