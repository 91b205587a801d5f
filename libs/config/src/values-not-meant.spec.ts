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
    [`webhookKey = "${SECRET}0123456789abcdef\\n"`, /ends with a line break/],
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

  it('is refused in the environment, by the name of the variable', () => {
    const env = { CDS_HOOKS_CACHE_REDIS_PASSWORD: `${SECRET}\n` };
    const [problem, ...more] = checkConfigText(HOOKS(''), { services: ['hooks'], env });
    expect(problem).toMatchObject({ key: 'CDS_HOOKS_CACHE_REDIS_PASSWORD', level: 'error' });
    expect(JSON.stringify([problem, ...more])).not.toContain(SECRET);
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
