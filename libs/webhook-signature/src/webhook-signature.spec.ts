import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeShared } from '@cds/testing';
import { hookUuidOf, isSignedBy, signatureOf, webhookSecret } from './index';

const UUID = '0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9';
const BODY = Buffer.from('{"push":{"changes":[]}}');

describe('the secret of a webhook', () => {
  it('is made of the key and the uuid', () => {
    // printf 'cds-webhook:0b1c2d3e-…' | openssl dgst -sha256 -hmac the-key
    expect(webhookSecret('the-key', UUID)).toBe(
      'c66456866cea452298d86b2959608660eab01113377e338d793ab59284d4c4ca',
    );
  });

  it('differs with either', () => {
    const secrets = [
      webhookSecret('a', UUID),
      webhookSecret('b', UUID),
      webhookSecret('a', UUID.replace('0', '1')),
    ];

    expect(new Set(secrets).size).toBe(3);
  });

  it('goes by the last segment of the URL', () => {
    expect(hookUuidOf(`https://hooks.example.com/webhook/${UUID}`)).toBe(UUID);
    expect(hookUuidOf(`https://proxy.example.com/${UUID}`)).toBe(UUID);
  });
});

describe('a signature', () => {
  const right = signatureOf('secret', BODY);

  it('is right under the secret, alone or among others', () => {
    expect(right).toMatch(/^sha256=[0-9a-f]{64}$/);
    expect(isSignedBy(['secret'], right, BODY)).toBe(true);
    expect(isSignedBy(['new', 'secret'], right, BODY)).toBe(true);
    expect(
      isSignedBy(['secret', 'old'], right.toUpperCase().replace('SHA256', 'sha256'), BODY),
    ).toBe(true);
  });

  it.each([
    ['another secret', ['other'], right, BODY],
    ['no secret', [], right, BODY],
    ['another body', ['secret'], right, Buffer.from('{}')],
    ['one digit', ['secret'], right.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')), BODY],
    ['a digit too few', ['secret'], right.slice(0, -1), BODY],
    ['a digit too many', ['secret'], `${right}0`, BODY],
    ['no algorithm', ['secret'], right.slice('sha256='.length), BODY],
    ['another algorithm', ['secret'], right.replace('sha256', 'sha1'), BODY],
    ['two signatures', ['secret'], `${right}, ${right}`, BODY],
    ['nothing', ['secret'], '', BODY],
  ])('is wrong with %s', (_what, secrets, header, body) => {
    expect(isSignedBy(secrets, header, body)).toBe(false);
  });
});

describeShared('a delivery that Bitbucket signed', (root) => {
  it('is right', () => {
    const body = readFileSync(join(root, 'contract/webhooks/push/jbs-signed_payload.json'));

    expect(
      isSignedBy(
        ['Gkvl$k$wyNpQAF42'],
        'sha256=f205c729821c6954aff2afe72b965c34015b4baf96ea8ddc2cc44999c014a035',
        body,
      ),
    ).toBe(true);
  });
});
