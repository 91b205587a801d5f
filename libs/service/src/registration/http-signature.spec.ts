import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeShared, fuzzRuns } from '@cds/testing';
import fc from 'fast-check';
import { signedRequest } from '../../test/sign-in-api';
import { isSignedBy, type SignedRequest } from './http-signature';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const HOST = 'vcs:8084';
const NAMES = '(request-target) host date';

function headerOf(text: string, names = NAMES, more = {}): string {
  const parameters = {
    keyId: 'cds-api',
    algorithm: 'rsa-sha256',
    headers: names,
    signature: sign('sha256', Buffer.from(text, 'latin1'), privateKey).toString('base64'),
    ...more,
  };
  const list = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
  return `Signature ${list.join(',')}`;
}

const manyParameters = () => Array.from({ length: 1_000 }, (_, index) => `a${index}="b",`).join('');

const request = (url: string, authorization: string, headers = {}): SignedRequest => ({
  ...{ method: 'POST', url },
  headers: { host: HOST, authorization, ...headers },
});

describe('isSignedBy', () => {
  it.each([
    ['a path', '/task', '/task'],
    ['an escaped slash, which is signed decoded', '/v2/bbc/jdoe%2Frepo', '/v2/bbc/jdoe/repo'],
    ['a space', '/a%20b', '/a b'],
    ['a plus, which stays', '/a+b%2B', '/a+b+'],
    ['bytes that are no UTF-8', '/%ff%C3', '/\xff\xc3'],
    ['a query, which is signed as it is', '/a?b=x%2Fy+z%20', '/a?b=x%2Fy+z%20'],
    ['a question mark with nothing behind it', '/a?', '/a'],
    ['a second question mark', '/a?b=c?d', '/a?b=c?d'],
  ])('verifies %s', (_, url, signed) => {
    const header = headerOf(`(request-target): post ${signed}\nhost: ${HOST}`);
    expect(isSignedBy(publicKey, request(url, header))).toBe(true);
    expect(isSignedBy(publicKey, request(`${url}x`, header))).toBe(false);
    expect(isSignedBy(publicKey, { ...request(url, header), method: 'PUT' })).toBe(false);
    const elsewhere = request(url, header, { host: 'other' });
    expect(isSignedBy(publicKey, elsewhere)).toBe(false);
  });

  it('verifies headers that are there: one line for each value', () => {
    const text = `(request-target): post /a\nhost: ${HOST}\ndate: today\nx-a: 1\nx-a: 2`;
    const header = headerOf(text, `${NAMES} x-a`);
    const rawHeaders = ['Host', HOST, 'Date', ' today ', 'X-A', '1', 'x-a', '2'];
    const given = request('/a', header, { date: 'today', 'x-a': '1, 2' });
    expect(isSignedBy(publicKey, { ...given, rawHeaders })).toBe(true);
    rawHeaders[3] = 'tomorrow';
    expect(isSignedBy(publicKey, { ...given, rawHeaders })).toBe(false);
  });

  it('takes the parameters in any order, and the URL before Express shortens it', () => {
    const { headers } = signedRequest(privateKey, '/a/b', HOST);
    const [scheme, list = ''] = headers.authorization.split(/ (.*)/);
    const authorization = `${scheme} ${list
      .split(/,(?=\w+=")/)
      .toReversed()
      .join(', ')}`;
    const shortened = { method: 'GET', url: '/b', originalUrl: '/a/b', headers };
    expect(isSignedBy(publicKey, { ...shortened, headers: { ...headers, authorization } })).toBe(
      true,
    );
    expect(isSignedBy(publicKey, { ...shortened, originalUrl: '/b' })).toBe(false);
  });

  const text = `(request-target): post /a\nhost: ${HOST}`;
  it.each([
    ['no header', undefined],
    ['another scheme', headerOf(text).replace('Signature', 'Bearer')],
    ['no request target', headerOf(`host: ${HOST}`, 'host date')],
    ['no host', headerOf('(request-target): post /a', '(request-target) date')],
    ['no date', headerOf(text, '(request-target) host')],
    ['no names', headerOf(text, '')],
    ['no key id', headerOf(text, NAMES, { keyId: '' })],
    ['another algorithm', headerOf(text, NAMES, { algorithm: 'hmac-sha256' })],
    ['no signature', headerOf(text, NAMES, { signature: '' })],
    ['a parameter twice', headerOf(text).replace('keyId', 'keyId="a",keyId')],
    ['something between parameters', headerOf(text).replace('",', '" x,')],
    ['base64 with something in it', headerOf(text).replace('signature="', 'signature="!')],
    ['very many names', headerOf(text, `${NAMES} ${'x '.repeat(1_000)}`)],
    ['very many parameters', headerOf(text).replace('keyId', `${manyParameters()}keyId`)],
    ['a long header', `Signature ${'a="b",'.repeat(20_000)}`],
  ])('refuses %s', (_, authorization) => {
    const { headers, ...rest } = request('/a', '');
    expect(isSignedBy(publicKey, { ...rest, headers: { ...headers, authorization } })).toBe(false);
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'takes %s for a header that is not there',
    (name) => {
      const header = headerOf(text, `${NAMES} ${name}`);
      expect(isSignedBy(publicKey, request('/a', header))).toBe(true);
      expect(isSignedBy(publicKey, request('/b', header))).toBe(false);
    },
  );

  it('answers whatever strangers sign', () => {
    const word = fc.oneof(
      fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype), 'host', '(request-target)'),
      fc.string({ unit: 'grapheme-ascii' }),
    );
    const property = fc.property(fc.array(word), word, word, (names, value, path) => {
      const listed = [NAMES, ...names.map((name) => name.replaceAll('"', ''))].join(' ');
      const more = { keyId: value, signature: Buffer.alloc(256, value || 'a').toString('base64') };
      const given = request(`/${path}`, headerOf(text, listed, more), { cookie: value });
      expect(isSignedBy(publicKey, given)).toBe(false);
    });
    fc.assert(property, fuzzRuns(300));
  });

  it('costs strangers no more for a path of escapes than for another', () => {
    const forged = headerOf(text, NAMES, { signature: Buffer.alloc(256, 1).toString('base64') });
    const bestOf = (url: string): number => {
      const times = Array.from({ length: 7 }, () => {
        const began = performance.now();
        expect(isSignedBy(publicKey, request(url, forged))).toBe(false);
        return performance.now() - began;
      });
      return Math.min(...times);
    };
    expect(bestOf(`/${'%41'.repeat(70_000)}`)).toBeLessThan(40 * bestOf(`/${'x'.repeat(210_000)}`));
  });

  it('refuses a signature of another key', () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const signed = signedRequest(other.privateKey, '/a', HOST);
    expect(isSignedBy(publicKey, signed)).toBe(false);
    expect(isSignedBy(other.publicKey, signed)).toBe(true);
  });
});

interface Recorded {
  request: { method: string; url: string; headers: Record<string, string> };
}

describeShared('recorded calls of the CDS API', (root) => {
  const folder = join(root, 'contract', 'cds-0.57');
  const key = createPublicKey(readFileSync(join(folder, 'api-pub.pem')));
  const recorded = readdirSync(folder)
    .filter((name) => /^api-to-.*\.json$/.test(name))
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Recorded[])
    .map(({ request }) => request)
    .filter(({ headers }) => headers.authorization?.startsWith('Signature'));

  it('verify, and no other does', () => {
    expect(recorded.length).toBeGreaterThan(50);
    for (const call of recorded) {
      expect([call.url, isSignedBy(key, call)]).toEqual([call.url, true]);
      const at = call.url.length - 1;
      const flipped = String.fromCharCode(call.url.charCodeAt(at) ^ 1);
      const elsewhere = { ...call, url: call.url.slice(0, at) + flipped };
      expect([elsewhere.url, isSignedBy(key, elsewhere)]).toEqual([elsewhere.url, false]);
    }
  });

  it('do not verify with one byte of the signature changed, wherever it is', () => {
    const [call] = recorded;
    if (!call) throw new Error('nothing is recorded');
    const header = call.headers.authorization ?? '';
    const start = header.indexOf('signature="') + 'signature="'.length;
    for (let at = start; at < header.length; at++) {
      const flipped = String.fromCharCode(header.charCodeAt(at) ^ 1);
      const authorization = header.slice(0, at) + flipped + header.slice(at + 1);
      const changed = { ...call, headers: { ...call.headers, authorization } };
      expect([at, isSignedBy(key, changed)]).toEqual([at, false]);
    }
  });
});
