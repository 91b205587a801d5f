/** A value that must not be seen, under the name that stands in its place. */
export interface Secret {
  name: string;
  value: string;
}

/** Lines of a secret (keys have many) that are masked by themselves. */
const SHORTEST_LINE = 8;
/** Of a value that begins anywhere in what was encoded, base64 shows the same characters but for a few at its ends. */
const SHORTEST_ENCODED = 8;

/** How a value may look after it went through a URL, JSON, a header or a helper. */
function formsOf(value: string): string[] {
  const utf8 = Buffer.from(value);
  const json = JSON.stringify(value).slice(1, -1);
  const uri = encodeURIComponent(utf8.toString());
  const strict = uri.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const html = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const plain = [
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
  ];
  return [
    ...plain,
    ...plain.flatMap((form) => [form.toLowerCase(), form.toUpperCase()]),
    ...plain.map((form) => form.replace(/%[0-9A-F]{2}/g, (c) => c.toLowerCase())),
    utf8.toString('hex'),
    utf8.toString('hex').toUpperCase(),
    ...base64Forms(utf8),
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

/** Names are longer than what they stand for where secrets have one character. */
const LONGEST_MASKED = 1024 * 1024;

export interface Masking {
  /** The text with `**name**` in place of each secret. */
  mask(text: string): string;
  /** The same for a text that was cut off, which may end in the beginning of a secret. */
  maskCut(text: string): string;
}

/** Prepares the masking of secrets in what people are shown. The longest go first: one may hold another. */
export function createMasking(secrets: readonly Secret[]): Masking {
  const forms = new Map<string, string>();
  for (const { name, value } of secrets) {
    const lines = value.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE);
    for (const part of [value, ...lines]) {
      for (const form of formsOf(part)) {
        if (form !== '' && !forms.has(form)) forms.set(form, `**${name}**`);
      }
    }
  }
  const sorted = [...forms].sort(([a], [b]) => b.length - a.length);

  /** In one pass over the text as it came: what was put in place of a secret is not looked through again. */
  const mask = (text: string): string => {
    const hiddenBy = new Int32Array(text.length);
    for (const [index, [form]] of sorted.entries()) {
      for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + form.length)) {
        for (let i = at; i < at + form.length; i++) hiddenBy[i] ||= index + 1;
      }
    }
    const parts: string[] = [];
    for (let from = 0, to = 0; from < text.length; from = to) {
      const by = hiddenBy[from] ?? 0;
      while (to < text.length && hiddenBy[to] === by) to++;
      parts.push(by === 0 ? text.slice(from, to) : (sorted[by - 1]?.[1] ?? ''));
    }
    return parts.join('').slice(0, LONGEST_MASKED);
  };

  const maskCut = (text: string): string => {
    const masked = mask(text);
    let cut = 0;
    for (const [form] of sorted) {
      for (let length = Math.min(form.length - 1, masked.length); length > cut; length--) {
        if (masked.endsWith(form.slice(0, length))) cut = length;
      }
    }
    return masked.slice(0, masked.length - cut);
  };

  return { mask, maskCut };
}
