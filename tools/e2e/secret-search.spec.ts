import { createHash, randomBytes } from 'node:crypto';
import { createSecretSearch } from './secret-search.fixture';

const SHORT = 'a "quoted" c/n+ry: 100%';
const LONG = randomBytes(1_900).toString('base64url');
const searchIn = createSecretSearch(
  new Map([
    ['short', SHORT],
    ['long', LONG],
  ]),
);
const names = (haystack: string | Buffer) => [
  ...new Set(searchIn('here', haystack).map(({ secret }) => secret)),
];
const base64 = (text: string) => Buffer.from(text).toString('base64');

it.each([
  ['as it is', `x${SHORT}y`],
  ['in JSON', JSON.stringify({ token: SHORT })],
  ['in JSON in JSON', JSON.stringify({ body: JSON.stringify({ token: SHORT }) })],
  ['in a URL', `/?token=${encodeURIComponent(SHORT)}&x=1`],
  ['in a URL in a URL', `/?to=${encodeURIComponent(`/?t=${encodeURIComponent(SHORT)}`)}`],
  ['in a form', new URLSearchParams({ token: SHORT }).toString()],
  ['in base64', base64(SHORT)],
  ['in base64, after one byte', base64(`1${SHORT}234`)],
  ['in base64, after two bytes', base64(`12${SHORT}34`)],
  ['in base64 of JSON', base64(JSON.stringify({ clientSecret: SHORT, a: 1 }))],
  ['in a Basic header', `Basic ${base64(`client:${SHORT}`)}`],
  ['in base64url', Buffer.from(`ab${SHORT}`).toString('base64url')],
  ['in hexadecimal', Buffer.from(SHORT).toString('hex')],
  ['in HEXADECIMAL', Buffer.from(`-${SHORT}`).toString('hex').toUpperCase()],
  ['in bytes', Buffer.concat([randomBytes(50), Buffer.from(SHORT), randomBytes(50)])],
])('finds a secret %s', (_, haystack) => {
  expect(names(haystack)).toEqual(['short']);
});

it('finds the beginning and the end of a long one, and tells where without telling it', () => {
  expect(names(LONG.slice(0, 100))).toEqual(['long']);
  expect(names(`…${LONG.slice(-40)}`)).toEqual(['long']);
  expect(names(base64(`Bearer ${LONG}`))).toEqual(['long']);
  const [leak] = searchIn('the log', `msg: Bearer ${LONG.slice(0, 32)} end`);
  expect(leak).toMatchObject({ where: 'the log', secret: 'long', near: 'msg: Bearer […] end' });
});

it('finds nothing where there is none', () => {
  expect(names(randomBytes(100_000))).toEqual([]);
  expect(names(createHash('sha256').update(SHORT).digest('hex'))).toEqual([]);
  expect(names('a "quoted" canary')).toEqual([]);
});
