import { anyText } from '@cds/testing';
import fc from 'fast-check';
import { createGrantCipher } from './vcs-grants';

const NAME = 'cdsbb:vcs:grant:1';

describe('the cipher of grants', () => {
  it('gives back what it sealed, and never seals twice alike', () => {
    const cipher = createGrantCipher('secret');
    fc.assert(
      fc.property(anyText(fc), (text) => {
        const sealed = cipher.seal(NAME, text);
        expect(cipher.open(NAME, sealed)).toBe(text);
        expect(cipher.seal(NAME, text)).not.toBe(sealed);
      }),
    );
  });

  it('opens nothing sealed with another secret or under another name', () => {
    const sealed = createGrantCipher('secret').seal(NAME, 'text');

    expect(createGrantCipher('changed').open(NAME, sealed)).toBeUndefined();
    expect(createGrantCipher('secret').open(`${NAME}2`, sealed)).toBeUndefined();
  });

  it('opens nothing that was tampered with, nor what is no record at all', () => {
    const cipher = createGrantCipher('secret');
    const sealed = cipher.seal(NAME, '{"accessToken":"a"}');
    fc.assert(
      fc.property(fc.nat(sealed.length - 4), (at) => {
        const index = at + 3;
        const other = sealed[index] === 'A' ? 'B' : 'A';
        const tampered = sealed.slice(0, index) + other + sealed.slice(index + 1);
        // The last character of base64 may hold bits that mean nothing.
        if (index < sealed.length - 1) expect(cipher.open(NAME, tampered)).toBeUndefined();
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => cipher.open(NAME, text) === undefined));
    fc.assert(fc.property(fc.string(), (text) => cipher.open(NAME, `v1.${text}`) === undefined));
  });
});
