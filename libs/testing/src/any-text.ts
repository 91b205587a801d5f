import type * as FastCheck from 'fast-check';

/** Surrogates, which are no characters alone, lie in the middle of Unicode. */
const BEFORE_SURROGATES = 0xd800;
const SURROGATES = 0x800;
const LAST = 0x10ffff;

/**
 * Texts of any characters of Unicode, and names such as `__proto__`. They are those of
 * `fc.string({ unit: 'binary' })`, which first writes down a million characters in each spec file.
 * `fc` is handed in as in `hostileJson`.
 */
export function anyText(
  fc: typeof FastCheck.default,
  limits: FastCheck.StringConstraints = {},
): FastCheck.Arbitrary<string> {
  const character = fc.nat(LAST - SURROGATES).map(
    (n) => String.fromCodePoint(n < BEFORE_SURROGATES ? n : n + SURROGATES),
    (text) => {
      const code = typeof text === 'string' ? text.codePointAt(0) : undefined;
      if (code === undefined || text !== String.fromCodePoint(code))
        throw new Error('this is not one character');
      return code < BEFORE_SURROGATES ? code : code - SURROGATES;
    },
  );
  return fc.string({ ...limits, unit: character });
}
