import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { fuzzRuns } from '@cds/testing';
import * as fc from 'fast-check';
import { createMasking, type Secret, TooMuchToMaskError } from './mask-secrets';
import { prefixesOf, formsOf } from './secret-forms';

/**
 * What {@link createMasking} does, form by form and place by place. `isCut`: as `maskCut` does it.
 */
function maskSlowly(secrets: readonly Secret[], text: string, isCut = false): string {
  const forms = new Map<string, string>();
  for (const { name, value } of secrets) {
    const lines = value.split(/\r?\n/).filter((line) => line.length >= 8);
    for (const part of [value, ...lines])
      for (const form of formsOf(part)) if (!forms.has(form)) forms.set(form, name);
  }
  forms.delete('');
  const by: (string | undefined)[] = Array.from({ length: text.length });
  for (const [form] of [...forms].sort(([a], [b]) => b.length - a.length))
    for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1))
      for (let i = at; i < at + form.length; i++) by[i] ??= form;
  let length = text.length;
  for (let at = 0; isCut && at < by.lastIndexOf(undefined) + 1 && length === text.length; at++) {
    const end = text.slice(at);
    if ([...forms.keys()].some((form) => form.length > end.length && form.startsWith(end)))
      length = at;
  }
  let masked = '';
  for (let i = 0; i < length; i++) {
    const form = by[i];
    if (form === undefined) masked += text[i];
    else if (i === 0 || by[i - 1] !== form) masked += `**${forms.get(form)}**`;
  }
  return masked;
}

function keyOf(number: number): Secret {
  // As long as a key of 4,096 bits, and made in no time.
  const lines =
    randomBytes(2_400)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  const [begin, end] = ['BEGIN', 'END'].map((word) => `-----${word} RSA PRIVATE KEY-----`);
  return { name: `cds.key.k${number}.priv`, value: [begin, ...lines, end, ''].join('\n') };
}

describe('the masking of many secrets', () => {
  const SOME = 300;
  const keys = Array.from({ length: SOME }, (_, number) => keyOf(number));
  const masking = createMasking(keys);

  it('looks through a text once: each place costs the same, whatever the number of secrets', () => {
    const text = randomBytes(48_000).toString('base64');
    const cpuOf = (work: () => void): number => {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const [one] = keys;
    const few = createMasking(one ? [one] : []);
    for (const { mask } of [few, masking]) mask(text);
    const least = (mask: (text: string) => string): number =>
      Math.min(...[1, 2, 3, 4, 5].map(() => cpuOf(() => void mask(text))));
    // Form by form it was 300 times as much.
    expect(least(masking.mask)).toBeLessThan(30 * least(few.mask) + 20_000);
  });

  it('finds each of 300 keys: as a whole, in JSON, in base64, and its lines', () => {
    for (const [number, { name, value }] of keys.entries()) {
      if (number % 10 !== 0) continue;
      const json = JSON.stringify(value).slice(1, -1);
      const base64 = Buffer.from(value).toString('base64');
      const line = value.split('\n')[20] ?? '';
      expect(masking.mask(`a ${value} b ${json} c ${base64} d ${line} e`)).toBe(
        `a **${name}** b **${name}** c **${name}** d **${name}** e`,
      );
      expect(masking.maskCut(`a ${value.slice(0, 1_500)}`)).toBe('a ');
      expect(masking.maskCut(`a ${line.slice(0, 5)}`)).toBe('a ');
    }
  });

  it('finds a real key in what a real target says', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const value = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const { mask } = createMasking([...keys, { name: 'real', value }]);
    const said = JSON.stringify({ error: `no key: ${value}`, hint: value.split('\n')[3] });
    expect(mask(said)).toBe('{"error":"no key: **real**","hint":"**real**"}');
  });

  it.each([
    ['alike', () => Array.from({ length: 3_000 }, (_, i) => ({ name: 'a', value: 'a'.repeat(i) }))],
    ['long', () => [{ name: 'a', value: '"'.repeat(256 * 1024 + 1) }]],
    [
      'many',
      () => {
        const value = Array.from({ length: 200_000 }, (_, i) => `line ${i}`).join('\n');
        return value.match(/[^]{1,200000}/g)?.map((part) => ({ name: 'a', value: part })) ?? [];
      },
    ],
  ])('gives up where secrets are too %s, before it takes long', (_, secrets) => {
    const text = 'a'.repeat(1024 * 1024);
    expect(() => createMasking(secrets()).mask(text)).toThrow(TooMuchToMaskError);
  });
});

describe('the masking of any secrets', () => {
  const letters = fc.constantFrom(...'ab"<%+/\n =é');
  const value = fc.array(letters, { maxLength: 40 }).map((all) => all.join(''));
  const secrets = fc.array(fc.record({ name: fc.constantFrom('x', 'y', 'z'), value }), {
    maxLength: 5,
  });

  it('hides what would be found form by form, overlapping or not', () => {
    fc.assert(
      fc.property(
        secrets,
        fc.array(fc.oneof(value, fc.nat(60)), { maxLength: 8 }),
        (given, pieces) => {
          // A number stands for a form of one of the secrets.
          const forms = given.flatMap((secret) => formsOf(secret.value));
          const text = pieces
            .map((piece) =>
              typeof piece === 'string' ? piece : (forms[piece % forms.length] ?? ''),
            )
            .join('');
          expect(createMasking(given).mask(text)).toBe(maskSlowly(given, text));
        },
      ),
      fuzzRuns(1_000) as fc.Parameters<unknown>,
    );
  });

  it('shows no beginning of a secret at which a text was cut off', () => {
    fc.assert(
      fc.property(value, secrets, fc.nat(60), fc.nat(200), (before, given, which, length) => {
        const forms = given.flatMap((secret) => formsOf(secret.value));
        const form = forms[which % forms.length] ?? '';
        const cut = form.slice(0, length % Math.max(1, form.length));
        const text = before + cut;
        expect(createMasking(given).maskCut(text)).toBe(maskSlowly(given, text, true));
      }),
      fuzzRuns(500) as fc.Parameters<unknown>,
    );
  });

  it('knows how each form begins without making it', () => {
    const long = fc.array(letters, { maxLength: 300 }).map((all) => all.join(''));
    fc.assert(
      fc.property(long, fc.constantFrom(8, 128), (given, length) => {
        expect(new Set(prefixesOf(given, length))).toEqual(
          new Set(formsOf(given).map((form) => form.slice(0, length))),
        );
      }),
      fuzzRuns(1_000) as fc.Parameters<unknown>,
    );
  });
});
