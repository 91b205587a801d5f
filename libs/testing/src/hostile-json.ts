import type * as FastCheck from 'fast-check';

/** Handed in by the spec: most specs need no fast-check, and loading it takes its time. */
type Fc = typeof FastCheck.default;

const DEEP = 20_000;

/** JSON texts that are valid and that nobody expects. */
export const NASTY_JSON: readonly string[] = [
  'null',
  'true',
  '0',
  '-0',
  '1e999',
  '-1e308',
  '123456789012345678901234567890',
  '""',
  '"\\ud800"',
  '"\\u0000"',
  '"__proto__"',
  `"${'x'.repeat(5_000)}"`,
  '[]',
  '[null]',
  '{}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toString":1,"valueOf":2,"toJSON":3}',
  '{"then":1,"length":1e9}',
  `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`,
  `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
];

type Edit = { how: 'replace' | 'twin' | 'extra' | 'drop'; text: string };

/**
 * JSON texts like `value`, with up to `most` places that are wrong: another value, a key given
 * twice, keys such as `__proto__`, a key left out.
 */
export function hostileJson(fc: Fc, value: unknown, most = 3): FastCheck.Arbitrary<string> {
  const edit = fc.record<Edit>({
    how: fc.constantFrom('replace', 'replace', 'twin', 'extra', 'drop'),
    text: fc.oneof(fc.constantFrom(...NASTY_JSON), fc.json({ maxDepth: 3 })),
  });
  const place = fc.nat(countNodes(value) - 1);
  return fc
    .array(fc.tuple(place, edit), { maxLength: most })
    .map((edits) => write(value, new Map(edits), { node: 0 }));
}

/**
 * Bytes as a hostile server sends them in place of `text`: whole, cut off, not UTF-8, behind a byte
 * order mark, or something else altogether.
 */
export function hostileBytes(
  fc: Fc,
  text: FastCheck.Arbitrary<string>,
): FastCheck.Arbitrary<Buffer> {
  const whole = text.map((body) => Buffer.from(body));
  return fc.oneof(
    { weight: 5, arbitrary: whole },
    fc.tuple(whole, fc.nat()).map(([body, at]) => body.subarray(0, at % (body.length + 1))),
    fc
      .tuple(whole, fc.nat(), fc.uint8Array({ min: 0x80, maxLength: 8 }))
      .map(([body, at, junk]) => {
        const split = at % (body.length + 1);
        return Buffer.concat([body.subarray(0, split), junk, body.subarray(split)]);
      }),
    whole.map((body) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body])),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom('<html><title>502</title></html>', '', '{', 'NaN').map((t) => Buffer.from(t)),
  );
}

function countNodes(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, child) => sum + countNodes(child), 1);
}

function write(value: unknown, edits: Map<number, Edit>, at: { node: number }): string {
  const edit = edits.get(at.node);
  at.node += 1;
  if (typeof value !== 'object' || value === null) {
    return edit?.how === 'replace' ? edit.text : (JSON.stringify(value) ?? 'null');
  }
  const parts: string[] = [];
  for (const [key, child] of Object.entries(value)) {
    const childEdit = edits.get(at.node);
    const text = write(child, edits, at);
    if (childEdit?.how === 'drop') continue;
    const label = Array.isArray(value) ? '' : `${JSON.stringify(key)}:`;
    parts.push(`${label}${text}`);
    if (childEdit?.how === 'twin') parts.push(`${label}${childEdit.text}`);
  }
  if (edit?.how === 'extra' && !Array.isArray(value)) {
    parts.push(`"__proto__":${edit.text}`, `"constructor":${edit.text}`);
  }
  if (edit?.how === 'replace') return edit.text;
  return Array.isArray(value) ? `[${parts.join()}]` : `{${parts.join()}}`;
}
