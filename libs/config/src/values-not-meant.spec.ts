import { checkConfigText, loadConfig } from './load-config';
import { whyNoLink } from './values/bitbucket-url';

const VCS = (ui: string, status = 'showDetail = true', server = '') => `[vcs]
name = "v"
[vcs.UI.http]
url = "${ui}"
[vcs.api]
token = "t"
[vcs.servers.bitbucketcloud.bitbucketcloud]
clientId = "id"
clientSecret = "secret"
${server}
[vcs.servers.bitbucketcloud.bitbucketcloud.Status]
${status}
`;
const HOOKS = (line: string) => `[hooks]
name = "h"
urlPublic = "https://hooks.acme.com"
${line}
[hooks.api]
token = "t"
`;

describe('a UI whose links Bitbucket refuses', () => {
  it.each([
    'http://cds-ui:4200',
    'http://intranet/cds',
    'https://cds_ui.acme.com',
    'https://-cds.acme.com',
    'https://cds.acme.c',
  ])('%s is warned of with its key, as long as statuses lead there', (ui) => {
    expect(checkConfigText(VCS(ui))).toMatchObject([
      {
        key: 'vcs.UI.http.url',
        line: 4,
        level: 'warning',
        message: expect.stringContaining('Status.showDetail'),
      },
    ]);
    expect(checkConfigText(VCS(ui, 'showDetail = false'))).toEqual([]);
    expect(checkConfigText(VCS(ui, 'showDetail = true\ndisable = true'))).toEqual([]);
  });

  it.each([
    'https://cds.acme.com/ui',
    'http://localhost:4200',
    'http://10.1.2.3',
    'http://[::1]:4200',
    'https://cds.bücher.example',
    'https://cds.acme.com.',
  ])('%s is fine', (ui) => {
    expect(whyNoLink(ui)).toBeUndefined();
    expect(checkConfigText(VCS(ui))).toEqual([]);
  });

  it('is warned of at the start, too, whatever the value comes from', () => {
    const env = { CDS_VCS_UI_HTTP_URL: 'http://cds-ui:4200', CDS_VCS_NAME: 'v' };
    const server = 'CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD';
    const { warnings } = loadConfig({
      services: ['vcs'],
      env: {
        ...env,
        CDS_VCS_API_TOKEN: 't',
        [`${server}_CLIENTID`]: 'id',
        [`${server}_CLIENTSECRET`]: 'secret',
        [`${server}_STATUS_SHOWDETAIL`]: 'true',
      },
    });
    expect(warnings).toMatchObject([{ key: 'vcs.UI.http.url', level: 'warning' }]);
  });
});

describe('an address for deliveries that Bitbucket cannot reach', () => {
  it.each([
    'http://localhost:8083',
    'http://127.0.0.1:8083',
    'http://10.0.0.5',
    'http://172.31.255.1',
    'http://192.168.1.1',
    'http://169.254.1.1',
    'http://100.64.0.1',
    'http://[::1]:8083',
    'http://[fd00::1]',
    'http://[fe80::1]',
    'http://hooks:8083',
    'http://hooks.local',
    'http://cds.internal',
    'http://hooks.svc.cluster.local',
  ])('%s is warned of, as urlPublic and as proxyWebhook', (url) => {
    const hooks = HOOKS('').replace('https://hooks.acme.com', url);
    expect(checkConfigText(hooks)).toMatchObject([
      { key: 'hooks.urlPublic', line: 3, level: 'warning' },
    ]);
    const vcs = VCS('https://cds.acme.com', '', `proxyWebhook = "${url}"`);
    expect(checkConfigText(vcs)).toMatchObject([
      { key: expect.stringContaining('proxyWebhook'), line: 10, level: 'warning' },
    ]);
  });

  it('is fine for a stand-in of Bitbucket', () => {
    const url = 'http://localhost:8083';
    const server = `oauthUrl = "http://localhost:7990/site/oauth2"\nproxyWebhook = "${url}"`;
    const hooks = HOOKS('').replace('https://hooks.acme.com', url);
    expect(checkConfigText(VCS('https://cds.acme.com', '', server) + hooks)).toEqual([]);
  });

  it.each(['https://hooks.acme.com', 'http://11.0.0.5', 'http://172.32.0.1', 'http://[2a00::1]'])(
    '%s is none',
    (url) => {
      expect(checkConfigText(HOOKS('').replace('https://hooks.acme.com', url))).toEqual([]);
    },
  );
});

describe('a value that cannot be meant', () => {
  const SECRET = 'Qb3zr9';

  it.each([
    [`webhookKey = "${SECRET}\\n0123456789abcdef\\n"`, /U\+000A, character 7/],
    [`webhookKey = "${SECRET}\\t0123456789abcdef\\r\\n"`, /U\+0009, character 7/],
    [`previousWebhookKeys = ["a", "${SECRET}\\nb\\n"]`, /U\+000A, character 7/],
    [`webhookKey = "${SECRET}\\t0123456789abcdef"`, /U\+0009, character 7/],
    [`webhookKey = "${SECRET}\\u00010123456789abcdef"`, /U\+0001/],
    [`webhookKey = "${SECRET}\\u00850123456789abcdef"`, /U\+0085/],
    [`webhookKey = "${SECRET}\\u20280123456789abcdef"`, /U\+2028/],
    [`previousWebhookKeys = ["a", "${SECRET}\\u0000"]`, /U\+0000/],
    ['URL = "http://hooks\\n.acme.com"', /U\+000A/],
    ['URL = "http://hooks.acme.com/a b"', /without spaces/],
    ['URL = "http://hooks.acme.com\\\\a"', /backslashes/],
    ['URL = "http://hooks.acme.com:0"', /no port 0/],
    ['URL = "http://hooks.acme.com:65536"', /absolute http/],
    ['URL = "\'http://hooks.acme.com\'"', /absolute http/],
    ['URL = "http://me:secret@hooks.acme.com"', /user name and password/],
    ['URL = "http://hooks.acme.com/?a=1"', /query/],
    ['URL = "http://hooks.acme.com/?"', /without spaces|query/],
    ['URL = "http://hooks.acme.com/#a"', /fragment/],
  ])('is refused: %s', (line, message) => {
    const problems = checkConfigText(HOOKS(line));
    expect(problems).toMatchObject([{ level: 'error', line: 4 }]);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.message).not.toContain(SECRET);
  });

  it('is a line break at the end of what is no secret', () => {
    const env = { CDS_HOOKS_NAME: 'h\n' };
    expect(checkConfigText(HOOKS(''), { services: ['hooks'], env })).toMatchObject([
      { level: 'error', message: 'ends with a line break: remove it' },
    ]);
  });

  it.each([`${SECRET}\u0000`, `${SECRET}\n${SECRET}`])(
    'is refused in the environment, by the name of the variable (%j)',
    (password) => {
      const env = { CDS_HOOKS_CACHE_REDIS_PASSWORD: password };
      const [problem, ...more] = checkConfigText(HOOKS(''), { services: ['hooks'], env });
      expect(problem).toMatchObject({ key: 'CDS_HOOKS_CACHE_REDIS_PASSWORD', level: 'error' });
      expect(JSON.stringify([problem, ...more])).not.toContain(SECRET);
    },
  );

  describe('but a line break at the end of a secret, as a file or echo leaves it,', () => {
    const BASE = {
      CDS_VCS_NAME: 'v',
      CDS_HOOKS_NAME: 'h',
      CDS_HOOKS_URLPUBLIC: 'https://hooks.acme.com',
    };
    const OF_SERVER = 'CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_';
    const BARE = {
      CDS_VCS_API_TOKEN: `${SECRET}-token`,
      CDS_HOOKS_API_TOKEN: `${SECRET}-token`,
      CDS_VCS_WEBHOOKKEY: `${SECRET}0123456789abcdef`,
      CDS_HOOKS_WEBHOOKKEY: `${SECRET}0123456789abcdef`,
      CDS_VCS_CACHE_REDIS_PASSWORD: `${SECRET}-redis`,
      CDS_HOOKS_CACHE_REDIS_PASSWORD: `${SECRET}-redis`,
      [`${OF_SERVER}CLIENTSECRET`]: `${SECRET}-client`,
    };
    const load = (env: NodeJS.ProcessEnv) =>
      loadConfig({
        services: ['vcs', 'hooks'],
        env: { ...BASE, [`${OF_SERVER}CLIENTID`]: 'id', ...env },
      });

    it.each(['\n', '\r\n', '\n\n'])('counts as it did, with a warning (%j)', (end) => {
      const withBreak = Object.entries(BARE).map(([name, text]) => [name, text + end]);
      const { vcs, hooks, warnings } = load(Object.fromEntries(withBreak) as NodeJS.ProcessEnv);

      expect([vcs?.api.token, hooks?.api.token]).toEqual(Array(2).fill(`${SECRET}-token${end}`));
      const key = `${SECRET}0123456789abcdef${end}`;
      expect([vcs?.webhookKey, hooks?.webhookKeys]).toEqual([key, [key]]);
      const passwords = [vcs?.redis.password, hooks?.redis.password];
      expect(passwords).toEqual(Array(2).fill(`${SECRET}-redis${end}`));
      expect(vcs?.servers[0]?.clientSecret).toBe(`${SECRET}-client${end}`);
      expect(warnings.map((warning) => warning.key).sort()).toEqual(Object.keys(BARE).sort());
      for (const { message } of warnings)
        expect(message).toMatch(/^ends with a line break, which counts: (leave|remove) it/);
      expect(JSON.stringify(warnings)).not.toContain(SECRET);
    });

    it('counts of a previous key, with it and without', () => {
      const { hooks, warnings } = load({
        ...BARE,
        CDS_HOOKS_PREVIOUSWEBHOOKKEYS: `one, ${SECRET}\n,three\r\n`,
      });
      const [, ...previous] = hooks?.webhookKeys ?? [];
      expect(previous).toEqual(['one', SECRET, `${SECRET}\n`, 'three', 'three\r\n']);
      expect(warnings).toMatchObject([
        { message: expect.stringMatching(/^has a line break at the end of item 2, 3:/) },
      ]);
      expect(JSON.stringify(warnings)).not.toContain(SECRET);
    });

    it('is warned of in a file with key and line', () => {
      const lines = `webhookKey = "${SECRET}0123456789abcdef\\n"\npreviousWebhookKeys = ["a\\n"]`;
      expect(checkConfigText(HOOKS(lines))).toMatchObject([
        {
          level: 'warning',
          line: 4,
          message: expect.stringContaining('hooks.previousWebhookKeys'),
        },
        { level: 'warning', line: 5, message: expect.stringContaining('end of item 1:') },
      ]);
    });

    it('can be removed with what signatures were made with among the previous keys', () => {
      const key = `${SECRET}0123456789abcdef`;
      const before = load({ ...BARE, CDS_VCS_WEBHOOKKEY: `${key}\n` }).vcs?.webhookKey;
      const { hooks, warnings } = load({ ...BARE, CDS_HOOKS_PREVIOUSWEBHOOKKEYS: `${key}\n` });
      expect(hooks?.webhookKeys).toContain(before);
      expect(warnings).toHaveLength(1);
    });
  });

  it.each([
    [` ${SECRET}`, /space/],
    [`${SECRET}\u00a0`, /space/],
    [`${SECRET}\u200b`, /U\+200B/],
    [`\ufeff${SECRET}`, /U\+FEFF/],
    [`'${SECRET}'`, /quotes/],
    [`“${SECRET}”`, /quotes/],
  ])('that may be meant is warned of and taken as it is', (password, message) => {
    const env = { CDS_HOOKS_CACHE_REDIS_PASSWORD: password };
    const problems = checkConfigText(HOOKS(''), { services: ['hooks'], env });
    expect(problems).toMatchObject([{ level: 'warning', key: 'CDS_HOOKS_CACHE_REDIS_PASSWORD' }]);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.message).not.toContain(SECRET);
  });

  it.each(['it"s', "'", 'a"', 'pass word', 'pässwörd', '"a\''])('%s is nothing odd', (password) => {
    const env = { CDS_HOOKS_CACHE_REDIS_PASSWORD: password };
    expect(checkConfigText(HOOKS(''), { services: ['hooks'], env })).toEqual([]);
  });
});
