/** Base64 of a text shows a value in it as the same characters, but for a few at its ends. */
const SHORTEST_ENCODED = 8;

/** A value as a URL, JSON, a header or a helper may write it; none twice. */
export function formsOf(value: string): string[] {
  const utf8 = Buffer.from(value);
  const plain = plainForms(value, utf8);
  const forms = new Set([
    ...plain,
    ...plain.flatMap((form) => [form.toLowerCase(), form.toUpperCase()]),
    ...plain.map((form) => form.replace(/%[0-9A-F]{2}/g, (c) => c.toLowerCase())),
    utf8.toString('hex'),
    utf8.toString('hex').toUpperCase(),
    ...base64Forms(utf8),
  ]);
  forms.delete('');
  return [...forms];
}

/** Has one form. Keys consist of little else. */
const NEVER_ESCAPED = /^[A-Za-z0-9]*$/;

function plainForms(value: string, utf8: Buffer): string[] {
  if (NEVER_ESCAPED.test(value)) return [value];
  const json = JSON.stringify(value).slice(1, -1);
  const uri = encodeURIComponent(utf8.toString());
  const strict = uri.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const html = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [
    ...new Set([
      value,
      value.trim(),
      value.replaceAll('\n', '\r\n'),
      json,
      json.replace(/[<>&]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
      json.replaceAll('/', '\\/'),
      uri,
      uri.replaceAll('%20', '+'),
      strict,
      strict.replaceAll('%20', '+'),
      encodeURI(utf8.toString()),
      html,
      html.replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
      html.replaceAll('"', '&#34;').replaceAll("'", '&#39;'),
    ]),
  ];
}

function base64Forms(utf8: Buffer): string[] {
  const whole = [utf8.toString('base64'), utf8.toString('base64url')];
  const within = [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), utf8]).toString('base64');
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor(((offset + utf8.length) * 8) / 6);
    const middle = encoded.slice(first, last);
    if (middle.length < SHORTEST_ENCODED) return [];
    return [middle, middle.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [...whole, ...within];
}

/** ASCII without a space at either end: its forms are prefixes of those of a longer text. */
// oxlint-disable-next-line no-control-regex -- keys have line breaks
const BEGINS_PLAINLY = /^[\x21-\x7e][\x00-\x7e]*[\x21-\x7e]$/;

/**
 * The first `length` characters of each of the {@link formsOf} a value, none twice. The forms of a
 * long value, a hundred times as long together, are not made for that.
 */
export function prefixesOf(value: string, length: number): string[] {
  const start = value.slice(0, length + 1);
  const known = BEGINS_PLAINLY.test(start) ? start : value;
  return [...new Set(formsOf(known).map((form) => form.slice(0, length)))];
}
