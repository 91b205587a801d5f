import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { anyText, fuzzRuns, growth, LINEAR } from '@cds/testing';
import { fullConfig } from '../test/full-config.fixture';
import {
  checkConfigText,
  configFromCommandLine,
  formatProblem,
  ConfigError,
  loadConfig,
  publicConfig,
  readConfigFile,
} from './index';

const SECRETS = {
  token: 'Tn1-the-token-nobody-may-read',
  clientSecret: 'Cs2-the-client-secret-nobody-may-read',
  webhookKey: 'Wk3-the-webhook-key-nobody-may-read',
  previous: 'Pk4-the-previous-key-nobody-may-read',
  password: 'Pw5-the-password-nobody-may-read',
};
const SERVICES = ['vcs', 'hooks'] as const;
const VALID = `${fullConfig({
  vcsName: 'v',
  hooksName: 'h',
  token: SECRETS.token,
  clientId: 'id',
  clientSecret: SECRETS.clientSecret,
})}`;
const OWN = `
[vcs]
name = "v"
webhookKey = "${SECRETS.webhookKey}"
previousWebhookKeys = ["${SECRETS.previous}"]
[vcs.api]
token = "${SECRETS.token}"
[vcs.api.http]
url = "http://localhost:8081"
[vcs.cache.redis]
host = "localhost:6379"
password = "${SECRETS.password}"
[vcs.servers.bitbucketcloud.bitbucketcloud]
clientId = "id"
clientSecret = "${SECRETS.clientSecret}"
[hooks]
name = "h"
signature = "required"
[hooks.api]
token = "${SECRETS.token}"
[hooks.http]
port = 8083
trustedProxies = ["10.0.0.0/8"]
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-fuzz-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

function expectNoSecret(text: string): void {
  for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret);
}

/** All that is said of a text, in sentences. */
function judge(text: string): string {
  const sentences = checkConfigText(text).map(formatProblem).join('\n');
  expectNoSecret(sentences);
  expect(sentences.length).toBeLessThan(200_000);
  return sentences;
}

/** A configuration of which the API is told no secret, or a ConfigError without any. */
function load(env: NodeJS.ProcessEnv, file?: string): unknown {
  try {
    const { vcs, hooks, warnings } = loadConfig({
      services: SERVICES,
      env,
      files: file === undefined ? [] : [file],
    });
    if (!vcs || !hooks) throw new Error('a service is missing');
    const told = JSON.stringify([publicConfig('vcs', vcs), publicConfig('hooks', hooks), warnings]);
    expectNoSecret(told);
    return JSON.parse(told);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expectNoSecret(`${error.stack}${JSON.stringify(error.problems)}`);
    return error.message;
  }
}

describe('a configuration file', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '[vcs]',
      '[[vcs]]',
      '[hooks.http]',
      '[__proto__]',
      '[vcs.__proto__]',
      '[constructor.prototype]',
      '\n',
      '\r',
      '\r\n',
      '"',
      '"""',
      "'",
      "'''",
      '[',
      ']',
      '{',
      '}',
      ',',
      '.',
      '#',
      '\\',
      '\\u0000',
      '\\uD800',
      '\\U00110000',
      '\u0000',
      '\uFEFF',
      'ü',
      '🦄',
      ' ',
      '\t',
      'polluted',
      'toString',
      '1e999',
      '99999999999999999999999999',
      '-0',
      'nan',
      'inf',
      '1979-05-27T07:32:00Z',
      'true',
      '0x1F',
      '['.repeat(2_000),
      '{a='.repeat(2_000),
      'a.'.repeat(2_000),
      'x'.repeat(20_000),
    ),
    fc.string({ maxLength: 12 }),
  );

  it.each([
    ['of CDS', VALID],
    ['of ours', OWN],
  ])('%s that is damaged is judged, without a word of its secrets', (_, valid) => {
    const edit = fc.record({ at: fc.nat(), remove: fc.nat(12), insert: piece });
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 4 }), (edits) => {
        let text = valid;
        for (const { at, remove, insert } of edits) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + insert + text.slice(place + remove);
        }
        expect(judge(text)).toBe(judge(text));
      }),
      fuzzRuns(250),
    );
  });

  it('of any text is judged', () => {
    const line = fc.array(fc.oneof(piece, fc.constant('=')), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        judge(lines.map((pieces) => pieces.join('')).join('\n'));
      }),
      fuzzRuns(800),
    );
  });

  it('with a value of any type at any key is judged', () => {
    const keys = [...OWN.matchAll(/^(\w+) = .*$/gm)].map((match) => match[0]);
    const value = fc.oneof(
      fc.constantFrom(
        '1',
        '-1',
        '1.5',
        'true',
        '""',
        '[]',
        '{}',
        '[[1],["a"]]',
        '{ polluted = 1 }',
      ),
      fc.constantFrom('9007199254740993', 'inf', 'nan', '2026-01-01', '"\\u0000"', '["", "", ","]'),
      fc.string().map((text) => JSON.stringify(text)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...keys), value, (line, literal) => {
        judge(OWN.replace(line, `${line.split(' ')[0]} = ${literal}`));
      }),
      fuzzRuns(200),
    );
  });

  const lines = (n: number, line: (i: number) => string) =>
    Array.from({ length: n }, (_, i) => line(i)).join('\n');
  it.each<[string, number, (n: number) => string]>([
    ['unknown keys', 90_000, (n) => `[vcs]\n${lines(n, (i) => `k${i} = 1`)}`],
    ['a name of a million letters', 1_000_000, (n) => `[vcs]\n${'x'.repeat(n)} = 1`],
    ['unknown sections', 60_000, (n) => lines(n, (i) => `[hookk${i}]`)],
    ['servers', 15_000, (n) => lines(n, (i) => `[vcs.servers.s${i}.github]\nclientSecret = "a"`)],
    ['a key of 400,000 parts', 400_000, (n) => `[vcs]\n${'a.'.repeat(n)}b = 1`],
    ['escapes', 160_000, (n) => `"${'\\u0041'.repeat(n)}" = 1`],
    ['items', 90_000, (n) => `[hooks.http]\ntrustedProxies = [${'"10.0.0.1",'.repeat(n)}]`],
  ])('of the largest size that is read is judged in few steps and words: %s', (_, n, text) => {
    expect(text(n).length).toBeLessThan(1024 * 1024);
    expect(growth(n / 4, text, judge, 1)).toBeLessThan(LINEAR);
  });

  it('that has no end, or is too large, or not UTF-8, is refused', () => {
    const file = (bytes: Buffer | string) => {
      writeFileSync(join(folder, 'config.toml'), bytes);
      return join(folder, 'config.toml');
    };
    expect(() => readConfigFile('/dev/zero')).toThrow('larger than 1048576 bytes');
    expect(() => readConfigFile(file('#'.repeat(1024 * 1024 + 1)))).toThrow('larger than');
    expect(readConfigFile(file('#'.repeat(1024 * 1024)))).toHaveLength(1024 * 1024);
    expect(() => readConfigFile(file(Buffer.from('[vcs]\nname = "\xfc"', 'latin1')))).toThrow(
      'it is not UTF-8: save it in that encoding',
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        load({}, file(Buffer.from(bytes)));
      }),
      fuzzRuns(150),
    );
  });
});

describe('the environment', () => {
  const known = {
    CDS_VCS_NAME: 'v',
    CDS_HOOKS_NAME: 'h',
    CDS_VCS_API_TOKEN: SECRETS.token,
    CDS_HOOKS_API_TOKEN: SECRETS.token,
    CDS_VCS_WEBHOOKKEY: SECRETS.webhookKey,
    CDS_HOOKS_WEBHOOKKEY: SECRETS.webhookKey,
    CDS_HOOKS_PREVIOUSWEBHOOKKEYS: SECRETS.previous,
    CDS_VCS_CACHE_REDIS_PASSWORD: SECRETS.password,
    CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CLIENTID: 'id',
    CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CLIENTSECRET: SECRETS.clientSecret,
  };

  it('of any kind is a configuration, or a ConfigError without a secret', () => {
    const name = fc.oneof(
      fc.constantFrom(...Object.keys(known)),
      fc.constantFrom(
        'CDS_VCS_HTTP_PORT',
        'CDS_HOOKS_SIGNATURE',
        'CDS_VCS_CACHE_REDIS_HOST',
        'CDS_VCS_URL',
        'CDS_LOG_LEVEL',
      ),
      fc.constantFrom(
        'CDS_HOOKS_HTTP_TRUSTEDPROXIES',
        'CDS_HOOKS_DISABLE',
        'CDS_VCS_SERVERS_',
        'CDS_VCS_',
        '__proto__',
        '',
      ),
      fc
        .tuple(
          fc.constantFrom('CDS_VCS_', 'CDS_HOOKS_', 'CDS_VCS_SERVERS_'),
          fc.string({ maxLength: 30 }),
        )
        .map((parts) => parts.join('')),
    );
    const value = fc.oneof(
      fc.constantFrom(
        '',
        ' ',
        '0',
        '-1',
        '99999',
        '1e9',
        'true',
        'xxxxx',
        'a,b',
        ',,,',
        'http://u:p@h',
        `${SECRETS.token}@x:y`,
      ),
      anyText(fc, { maxLength: 40 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (pairs) => {
        // The names of a service and of a master are public, also where somebody writes a secret.
        const kept = pairs.filter(
          ([key, text]) => !(/_(NAME|REDIS_HOST|ADDR)$/.test(key) && text.includes(SECRETS.token)),
        );
        const env = { ...known, ...Object.fromEntries(kept) };
        expect(load(env)).toEqual(load(env));
      }),
      fuzzRuns(200),
    );
  });
});

describe('the command line', () => {
  class Exit extends Error {
    constructor(readonly code: unknown) {
      super(`exit ${String(code)}`);
    }
  }
  afterEach(() => jest.restoreAllMocks());

  it('of any kind ends with 0, 1 or 2 and few words', async () => {
    jest.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Exit(code);
    });
    let said = '';
    const hear = (text: unknown): boolean => ((said += String(text)), true);
    jest.spyOn(process.stderr, 'write').mockImplementation(hear);
    jest.spyOn(process.stdout, 'write').mockImplementation(hear);
    const argument = fc.oneof(
      fc.constantFrom(
        '--config',
        '--config=',
        '--config=/no/such',
        '-h',
        '--help',
        '--',
        '-',
        '--__proto__',
        '--__proto__=polluted',
        '--vault-addr=x',
        '--vault-token=y',
        '--remote-config=ftp://x',
        '--remote-config-key=x',
      ),
      fc.constantFrom(
        '/dev/null',
        '/',
        '\u0000',
        '--config=\u0000',
        '-c',
        '--help=true',
        '--no-config',
      ),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 4 }), async (args) => {
        said = '';
        const error: unknown = await configFromCommandLine('vcs', args, {}).catch(
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(Exit);
        expect([0, 1, 2]).toContain((error as Exit).code);
        expect(said).not.toBe('');
        expect(said).not.toMatch(/\n {4}at /);
      }),
      fuzzRuns(200),
    );
  });
});
