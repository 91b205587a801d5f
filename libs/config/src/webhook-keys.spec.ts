import { checkConfigText, formatProblem, ConfigError, loadConfig, publicConfig } from './index';

const KEY = 'k'.repeat(32);
const BASE = {
  CDS_VCS_NAME: 'v',
  CDS_VCS_API_TOKEN: 'the-token',
  CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CLIENTID: 'id',
  CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CLIENTSECRET: 'secret',
  CDS_HOOKS_NAME: 'h',
  CDS_HOOKS_API_TOKEN: 'the-token',
  CDS_HOOKS_URLPUBLIC: 'https://hooks.example.com',
};

const load = (env: NodeJS.ProcessEnv) =>
  loadConfig({ services: ['vcs', 'hooks'], env: { ...BASE, ...env } });

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(formatProblem);
    throw error;
  }
  throw new Error('expected a ConfigError');
}

describe('the key of the webhooks', () => {
  it('is the token where none is set', () => {
    const { vcs, hooks, warnings } = load({});

    expect(vcs?.webhookKey).toBe('the-token');
    expect(hooks?.webhookKeys).toEqual(['the-token']);
    expect(hooks?.signature).toBe('auto');
    expect(warnings).toEqual([]);
  });

  it('comes before those that were used before', () => {
    const { vcs, hooks } = load({
      CDS_VCS_WEBHOOKKEY: KEY,
      CDS_HOOKS_WEBHOOKKEY: KEY,
      CDS_HOOKS_PREVIOUSWEBHOOKKEYS: 'the-token, older-key',
    });

    expect(vcs?.webhookKey).toBe(KEY);
    expect(hooks?.webhookKeys).toEqual([KEY, 'the-token', 'older-key']);
  });

  it('is warned of where both sections differ, or where it is short, and never quoted', () => {
    const warnings = load({ CDS_VCS_WEBHOOKKEY: KEY, CDS_HOOKS_WEBHOOKKEY: 'hunter2' }).warnings;

    expect(warnings.map(({ key }) => key)).toEqual(['hooks.webhookKey', 'hooks.webhookKey']);
    expect(warnings.map(({ message }) => message).join()).toMatch(
      /is short.*not the key of \[vcs\]/s,
    );
    expect(JSON.stringify(warnings)).not.toMatch(/hunter2|kkkk/);
  });

  it('may differ while the new one is on its way, and where nothing is checked', () => {
    const rotating = load({
      CDS_VCS_WEBHOOKKEY: KEY.replace('k', 'o'),
      CDS_HOOKS_WEBHOOKKEY: KEY,
      CDS_HOOKS_PREVIOUSWEBHOOKKEYS: KEY.replace('k', 'o'),
    });
    const off = load({ CDS_VCS_WEBHOOKKEY: KEY, CDS_HOOKS_SIGNATURE: 'off' });

    expect([...rotating.warnings, ...off.warnings]).toEqual([]);
  });
});

describe('lists and choices', () => {
  it('are read from a file', () => {
    const problems = checkConfigText(`[hooks]
name = "h"
urlPublic = "https://hooks.example.com"
signature = "Required"
previousWebhookKeys = ["a, b", "c"]
[hooks.api]
token = "the-token"
[hooks.http]
trustedProxies = ["10.0.0.0/8", "::1", "fd00::/8"]
`);

    expect(problems).toEqual([]);
  });

  it.each([
    ['a mode that there is not', 'signature = "on"', 'one of "auto", "required", "off"'],
    ['a text for a list', 'previousWebhookKeys = "a"', 'a list of texts'],
    ['a number in a list', 'previousWebhookKeys = [1]', 'a list of texts'],
    ['a host name', 'http.trustedProxies = ["proxy.example.com"]', 'item 1 is not a valid network'],
    [
      'a mask that is too long',
      'http.trustedProxies = ["::1", "10.0.0.0/33"]',
      'item 2 is not a valid network',
    ],
  ])('refuse %s', (_what, line, sentence) => {
    const text = `[hooks]\nname = "h"\nurlPublic = "http://h"\napi.token = "t"\n${line}\n`;
    const problems = checkConfigText(text);

    expect(problems).toMatchObject([{ line: 5, level: 'error' }]);
    expect(problems[0]?.message).toContain(sentence);
  });

  it('refuse a mode of the environment that there is not', () => {
    expect(problemsOf({ CDS_HOOKS_SIGNATURE: 'maybe' })).toEqual([
      expect.stringContaining('one of "auto", "required", "off"'),
    ]);
  });
});

describe('the page for operators', () => {
  it('is not there without a password', () => {
    expect(load({}).hooks?.ui).toBeUndefined();
    expect(load({ CDS_HOOKS_UI_CDSURL: 'https://cds.example' }).hooks?.ui).toBeUndefined();
  });

  it('has one of 16 characters or more, without the line break that a file has', () => {
    const env = { CDS_HOOKS_UI_PASSWORD: `${'p'.repeat(16)}\n`, CDS_HOOKS_UI_CDSURL: 'http://ui/' };
    expect(load(env).hooks?.ui).toEqual({ password: 'p'.repeat(16), cdsUrl: 'http://ui' });
    expect(problemsOf({ CDS_HOOKS_UI_PASSWORD: `${'p'.repeat(15)}\n` })).toEqual([
      expect.stringContaining('is too short: take 16 characters or more'),
    ]);
  });

  it('has one that the API is not told of', () => {
    const { hooks } = load({ CDS_HOOKS_UI_PASSWORD: 'a-password-of-the-page' });
    if (!hooks) throw new Error('no configuration of hooks');
    expect(JSON.stringify(publicConfig('hooks', hooks))).not.toContain('a-password');
  });
});

describe('the bounds of outgoing webhooks', () => {
  it('have defaults that let all but this machine and its link be called', () => {
    expect(load({}).hooks?.outgoing).toEqual({
      allow: [],
      deny: [],
      timeoutSeconds: 60,
      maxRedirects: 5,
      maxRequestBytes: 1_048_576,
      maxLogBytes: 65_536,
    });
  });

  it('name targets by host, wildcard, address and network', () => {
    const { hooks } = load({
      CDS_HOOKS_OUTGOING_ALLOW: 'localhost, *.example.com, 127.0.0.1, ::1',
      CDS_HOOKS_OUTGOING_DENY: '*,10.0.0.0/8,fd00::/8',
    });

    expect(hooks?.outgoing).toMatchObject({
      allow: ['localhost', '*.example.com', '127.0.0.1', '::1'],
      deny: ['*', '10.0.0.0/8', 'fd00::/8'],
    });
  });

  it.each(['10.0.0.0/33', '10.0.0', 'https://example.com', 'a.*.com', 'host:80', 'a b'])(
    'do not take %s for a target',
    (target) => {
      expect(problemsOf({ CDS_HOOKS_OUTGOING_DENY: `ok.example.com,${target}` }).join()).toMatch(
        /outgoing.*item 2 is not a valid target/is,
      );
    },
  );
});
