import { cpuTime } from '@cds/testing';
import { MAX_VARIABLES } from './flatten-json';
import { JsonTooComplexError, MAX_JSON_SIGNS, parseBoundedJson } from './parse-bounded-json';
import { validateRepositoryDelivery } from '../modules/repository-webhook/validate-delivery';
import { planMessage } from '../modules/rabbitmq/plan-message';
import { planPush } from '../modules/repository-webhook/plan-push';
import { planWebhook } from '../modules/webhook/plan-webhook';
import { validatePlanned } from '../modules/webhook/webhook.fixture';
import { MAX_CHANGES } from '../modules/repository-webhook/push-delivery';
import { runsOf } from '../../test/planned-runs';

const MIB = 1024 * 1024;
/** What Bitbucket sends at most. */
const MAX_PUSH = 256 * 1024;
/** How much longer than the largest push of Bitbucket a hostile body may take at most. */
const FACTOR = 30;
const TRIES = 5;

const list = (n: number, item: (i: number) => string): string =>
  Array.from({ length: Math.floor(n) }, (_, i) => item(i)).join(',');
/** As many items as a body of 1 MiB can hold. */
const full = (item: (i: number) => string): string => list(MIB / (item(99_999).length + 1), item);
const key = (i: number): string => i.toString(36);
const AT_MOST = { signs: MAX_JSON_SIGNS - 10, variables: MAX_VARIABLES - 10 };

const ref = (name: string) => ({
  type: 'branch',
  name,
  target: {
    hash: 'a'.repeat(40),
    message: 'Mend the roof, the door; and: the [window] {of} the house\n',
    author: { raw: 'Ada <ada@example.com>', user: { display_name: 'Ada', nickname: 'ada' } },
    links: { html: { href: `https://bitbucket.org/team/house/branch/${name}` } },
  },
});
/** With five commits a change, as Bitbucket lists them. */
function largestPush(): string {
  const commits = Array.from({ length: 5 }, (_, i) => ref(`c${i}`).target);
  const changes: object[] = [];
  const body = () => JSON.stringify({ push: { changes }, repository: { full_name: 'a/b' } });
  while (body().length < MAX_PUSH) {
    const name = `b${changes.length}`;
    changes.push({ old: ref(name), new: ref(name), commits, created: false, closed: false });
  }
  return body();
}

const config = {
  method: { value: 'POST', configurable: false, type: '', multiple_choice_list: null },
};
const webhook = (text: string, contentType: string) => ({
  ...{ config, query: '', contentType, body: Buffer.from(text) },
});
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const push = (changes: string, rest = '0'): string =>
  `{"repository":{"full_name":"a/b"},"push":{"changes":[${changes}]},"x":${rest}}`;
const validatePush = (text: string) =>
  validateRepositoryDelivery({ headers: { 'x-event-key': 'repo:push' }, body: Buffer.from(text) });
const validateJson = (text: string) => validatePlanned(webhook(text, JSON_TYPE));
const validateForm = (text: string) => validatePlanned(webhook(text, FORM_TYPE));

async function best(work: () => unknown): Promise<number> {
  let least = Infinity;
  for (let tries = 0; tries < TRIES; tries += 1) least = Math.min(least, await cpuTime(work));
  return least;
}

describe('planning a delivery', () => {
  const largest = largestPush();
  let usual = 0;
  beforeAll(async () => {
    expect(validatePush(largest).kind).toBe('accept');
    expect(validateJson(largest).kind).toBe('accept');
    usual = Math.max(1, await best(() => validatePush(largest)));
  });

  it.each([
    ['empty objects', 'accept', validateJson, `[${list(AT_MOST.signs / 2, () => '{}')}]`],
    ['objects', 'accept', validateJson, `[${list(AT_MOST.signs / 4, (i) => `{"${key(i)}":{}}`)}]`],
    ['names', 'accept', validateJson, `{${list(AT_MOST.variables, (i) => `"k${key(i)}":1`)}}`],
    [
      'names abroad',
      'accept',
      validateJson,
      `{${list(AT_MOST.variables, (i) => `"é${key(i)}":1`)}}`,
    ],
    ['numbers', 'accept', validateJson, `[${list(AT_MOST.variables, () => '1.5e-9')}]`],
    ['levels', 'accept', validateJson, `${'{"a":'.repeat(3e4)}1${'}'.repeat(3e4)}`],
    [
      'a form',
      'accept',
      validateForm,
      list(AT_MOST.variables, (i) => `${i}=%41`).replaceAll(',', '&'),
    ],
    ['signs of a form', 'accept', validateForm, ';='.repeat(MIB / 2)],
    ['objects', 'accept', validatePush, push('', `[${list(16_000, (i) => `{"${key(i)}":{}}`)}]`)],
    [
      'changes',
      'accept',
      validatePush,
      push(list(MAX_CHANGES, (i) => JSON.stringify({ new: ref(key(i)) }))),
    ],
    [
      'changes that cannot be read',
      'accept',
      validatePush,
      push(
        list(MAX_CHANGES, (i) => (i ? '{"new":{"name":1}}' : JSON.stringify({ new: ref('a') }))),
      ),
    ],
    ['empty objects of a MiB', 'refuse', validateJson, `[${full(() => '{}')}]`],
    ['names of a MiB', 'refuse', validateJson, `{${full((i) => `"k${key(i)}":1`)}}`],
    ['names abroad of a MiB', 'refuse', validateJson, `{${full((i) => `"é${key(i)}":1`)}}`],
    ['one name of a MiB', 'refuse', validateJson, `{"${'\u03a3 '.repeat(MIB / 4)}":1}`],
    ['levels of a MiB', 'refuse', validateJson, '['.repeat(MIB / 2) + ']'.repeat(MIB / 2)],
    ['a form of a MiB', 'refuse', validateForm, list(MIB / 8, (i) => `${i}`).replaceAll(',', '&')],
    ['objects of a MiB', 'refuse', validatePush, push('', `[${full(() => '{"a":{}}')}]`)],
    [
      'levels of a MiB',
      'refuse',
      validatePush,
      push('', '['.repeat(MIB / 2) + ']'.repeat(MIB / 2)),
    ],
    ['changes of a MiB', 'refuse', validatePush, push(full(() => '{"new":0}'))],
  ])(
    'takes not much longer than that of the largest push: %s, which is %s',
    async (_, kind, validate, text) => {
      expect(text.length).toBeLessThanOrEqual(MIB + 200);
      expect(validate(text).kind).toBe(kind);
      expect(await best(() => validate(text))).toBeLessThan(FACTOR * usual);
    },
  );

  it('parses no text of more signs than a bound, wherever it comes from', () => {
    const parse = jest.spyOn(JSON, 'parse');
    const dear = `[${full(() => '{}')}]`;
    expect(() => planWebhook(webhook(dear, JSON_TYPE))).toThrow('send fewer values');
    expect(() => planPush(push('', dear))).toThrow('send fewer values');
    expect(() => planMessage(Buffer.from(dear))).toThrow('send fewer values');
    expect(() => parseBoundedJson(dear.slice(1))).toThrow(JsonTooComplexError);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  it('counts no sign that stands in a string', () => {
    const text = JSON.stringify({ log: '[{"a": 1}, \\"'.repeat(MIB / 20) });
    expect(parseBoundedJson(text)).toEqual(JSON.parse(text));
    expect(validateJson(text)).toEqual({ kind: 'accept' });
    const just = `[${list(MAX_JSON_SIGNS, () => '1')}]`;
    expect(parseBoundedJson(just)).toHaveLength(MAX_JSON_SIGNS);
    expect(() => parseBoundedJson(`[0,${just.slice(1)}`)).toThrow(JsonTooComplexError);
  });

  it('leaves room for what Bitbucket sends, to a plain webhook, too', () => {
    const { payload = {} } = runsOf(planWebhook(webhook(largest, JSON_TYPE)))[0] ?? {};
    expect(2 * Object.keys(payload).length).toBeLessThan(MAX_VARIABLES);
    expect(runsOf(planPush(largest)).length).toBeGreaterThan(50);
  });
});
