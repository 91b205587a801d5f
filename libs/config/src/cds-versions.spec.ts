import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeShared } from '@cds/testing';
import { parse } from 'smol-toml';
import { consumerToken } from '../test/consumer-token.fixture';
import {
  checkConfigText,
  formatProblem,
  KNOWN_CDS_VERSIONS,
  loadConfig,
  printConfig,
  printEnv,
  publicConfig,
  takesConsumerTokens,
} from './index';

const BOTH = ['vcs', 'hooks'] as const;
const KEY = 'k'.repeat(32);
const OF_VCS = consumerToken('11111111-0000-4000-8000-000000000000');
const OF_HOOKS = consumerToken('22222222-0000-4000-8000-000000000000');

/** Both services of a current CDS. */
const TODAY = {
  CDS_VCS_NAME: 'cds-vcs-keen_curie',
  CDS_VCS_API_TOKEN: OF_VCS,
  CDS_VCS_WEBHOOKKEY: KEY,
  CDS_HOOKS_NAME: 'cds-hooks-wise_bose',
  CDS_HOOKS_API_TOKEN: OF_HOOKS,
  CDS_HOOKS_WEBHOOKKEY: KEY,
  CDS_HOOKS_URLPUBLIC: 'https://hooks.example.com',
};
const SERVER = {
  CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CLIENTID: 'id',
  CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CLIENTSECRET: 'secret',
};
/** Both services of CDS 0.41. */
const SHARED = {
  ...TODAY,
  ...SERVER,
  CDS_VCS_API_TOKEN: 'shared-infra',
  CDS_HOOKS_API_TOKEN: 'shared-infra',
};

const load = (env: NodeJS.ProcessEnv) => loadConfig({ services: BOTH, env });
/** What is said of a configuration, each in one line. */
const said = (env: NodeJS.ProcessEnv) =>
  checkConfigText([], { services: BOTH, env }).map(formatProblem);

describe('the configuration for a current CDS', () => {
  it('needs neither servers nor the UI', () => {
    const { vcs, hooks, warnings } = load(TODAY);

    expect(warnings).toEqual([]);
    expect(vcs).toMatchObject({ servers: [], webhookKey: KEY });
    expect(vcs).not.toHaveProperty('proxyWebhook');
    expect(vcs?.uiUrl).toBeUndefined();
    expect(vcs?.api).not.toHaveProperty('generation');
    expect(hooks).toMatchObject({ signature: 'auto', webhookKeys: [KEY] });
    expect(hooks?.branchDeletion).toEqual({ delaySeconds: 86_400 });
  });

  it('takes them where they are given', () => {
    const { vcs, hooks } = load({
      ...TODAY,
      ...SERVER,
      CDS_VCS_UI_HTTP_URL: 'https://cds.example.com/',
      CDS_VCS_PROXYWEBHOOK: 'https://proxy.example.com/in/',
      CDS_HOOKS_BRANCHDELETION_TOKEN: consumerToken('33333333-0000-4000-8000-000000000000'),
    });

    expect(vcs).toMatchObject({
      uiUrl: 'https://cds.example.com',
      proxyWebhook: 'https://proxy.example.com/in',
      servers: [{ clientId: 'id' }],
    });
    expect(hooks?.branchDeletion.token).toContain('.');
  });

  it('leaves out servers that hold placeholders', () => {
    const { vcs, warnings } = load({
      ...TODAY,
      CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CLIENTID: 'xxxxx',
    });

    expect([vcs?.servers, warnings]).toEqual([[], []]);
  });

  it('leaves out the servers that CDS 0.51 prints', () => {
    const text = `[vcs]
name = "v"
webhookKey = "${KEY}"
api.token = "${OF_VCS}"
[vcs.servers]
[vcs.servers.bitbucketcloud]
url = ""
[vcs.servers.bitbucketcloud.bitbucketcloud]
clientId = "xxxxx"
clientSecret = "xxxxx"
disableWebHooks = false
[vcs.servers.gerrit.gerrit]
disableGerritEvent = false
sshport = 0
[vcs.servers.gitlab]
url = "https://gitlab.com"
[vcs.servers.gitlab.gitlab]
appId = "xxxxx"
callbackUrl = "http://localhost:8080/cdsapi/repositories_manager/oauth2/callback"
secret = "xxxxx"
`;

    expect(checkConfigText(text)).toEqual([]);
    const filledIn = text.replace('appId = "xxxxx"', 'appId = "of-gitlab"');
    expect(checkConfigText(filledIn).map(formatProblem)).toEqual([
      expect.stringMatching(/^line 17: vcs\.servers\.gitlab\.gitlab: is filled in for GitLab/),
    ]);
  });

  it('says that a proxy for webhooks cannot be reached', () => {
    expect(said({ ...TODAY, CDS_VCS_PROXYWEBHOOK: 'http://localhost:9/x' })).toEqual([
      expect.stringMatching(/^warning: vcs\.proxyWebhook: .*Bitbucket Cloud cannot deliver there$/),
    ]);
  });

  it('registers no secret', () => {
    const secret = 'nobody-may-see-this-key-anywhere';
    const { vcs, hooks } = load({
      ...TODAY,
      CDS_VCS_WEBHOOKKEY: secret,
      CDS_HOOKS_WEBHOOKKEY: secret,
      CDS_HOOKS_REPOSITORYWEBHOOKKEY: secret,
      CDS_HOOKS_WEBHOOKSPUBLICKEYSIGN: secret,
      CDS_HOOKS_BRANCHDELETION_TOKEN: consumerToken(secret),
    });
    const registered = JSON.stringify([
      vcs && publicConfig('vcs', vcs),
      hooks && publicConfig('hooks', hooks),
    ]);

    expect(JSON.stringify(hooks)).toContain(secret);
    expect(registered).not.toContain(secret);
    for (const token of [OF_VCS, OF_HOOKS, consumerToken(secret)])
      expect(registered).not.toContain(token);
    expect(registered).not.toContain('"UI"');
  });
});

describe('without a server', () => {
  it('says that a current CDS needs none, which the missing token does not show', () => {
    expect(said({ ...TODAY, CDS_VCS_API_TOKEN: '' })).toEqual([
      expect.stringMatching(/^vcs\.api\.token: is missing/),
      expect.stringMatching(
        /^vcs\.servers: .*CDS 0\.51 and later need none once vcs\.api\.token is/,
      ),
    ]);
  });

  it('a shared.infra token is not enough', () => {
    expect(said({ ...TODAY, CDS_VCS_API_TOKEN: 'shared-infra' })).toEqual([
      expect.stringMatching(/^vcs\.servers: no Bitbucket Cloud server/),
      expect.stringMatching(/^CDS_HOOKS_API_TOKEN: belongs to another version of CDS/),
    ]);
  });

  it('CDS 0.44 to 0.50 has no use for vcs', () => {
    expect(said({ ...TODAY, CDS_VCS_API_GENERATION: '0.50' })).toEqual([
      expect.stringMatching(/^warning: vcs\.servers: is missing: CDS 0\.44 to 0\.50/),
    ]);
  });
});

it('says that servers are not used from CDS 0.54 on', () => {
  const problems = said({ ...TODAY, ...SERVER, CDS_VCS_API_GENERATION: '0.57' });

  expect(problems).toEqual([
    expect.stringMatching(/^warning: vcs\.servers: is not used: .*cdsctl project vcs import/),
  ]);
});

describe('generation', () => {
  it.each([
    ['auto', undefined],
    ['AUTO', undefined],
    ['0.44', '0.44'],
    ['0.50', '0.44'],
    ['0.51.0', '0.51'],
    ['v0.53.1', '0.51'],
    ['0.54', '0.54'],
    ['0.57', '0.54'],
    ['0.61', '0.54'],
    ['0.57.0+cds.123', '0.54'],
    ['1.0', '0.54'],
  ])('%s is %s', (given, generation) => {
    const env = { ...TODAY, CDS_VCS_API_GENERATION: given, ...SERVER };

    expect(load(env).vcs?.api.generation).toBe(generation);
  });

  it.each(['0.40', '0.43'])('%s is that of the shared.infra token', (given) => {
    const { hooks } = load({ ...SHARED, CDS_HOOKS_API_GENERATION: given });

    expect(hooks?.api.generation).toBe('0.40');
  });

  it.each(['0.39', '57', 'today', '0.5.7.1', '0.4400'])(
    'refuses %s, and names the others',
    (given) => {
      expect(said({ ...TODAY, CDS_HOOKS_API_GENERATION: given })).toEqual([
        expect.stringMatching(
          /^CDS_HOOKS_API_GENERATION: must be "auto", .*"0\.40", "0\.44", "0\.51", "0\.54"/,
        ),
      ]);
    },
  );

  it('is a text', () => {
    const problems = checkConfigText(
      `[hooks]\nname = "h"\nurlPublic = "https://h.example.com"\nsignature = "off"\napi = { token = "t", generation = 0.54 }\n`,
    );

    expect(problems.map(formatProblem)).toEqual([
      expect.stringMatching(/^line 5: hooks\.api\.generation: must be "auto".*it is a number$/),
    ]);
  });

  it('is one for one API', () => {
    const both = { ...TODAY, CDS_VCS_API_GENERATION: '0.57', CDS_HOOKS_API_GENERATION: '0.53' };

    expect(said(both)).toEqual([
      expect.stringMatching(
        /^CDS_HOOKS_API_GENERATION: is that of CDS 0\.51 to 0\.53, and that of \[vcs\] is of CDS 0\.54/,
      ),
    ]);
    expect(said({ ...both, CDS_HOOKS_API_HTTP_URL: 'https://other.example.com' })).toEqual([]);
    expect(said({ ...both, CDS_HOOKS_API_GENERATION: '0.55' })).toEqual([]);
  });

  it('contradicts the token of another', () => {
    expect(said({ ...TODAY, CDS_VCS_API_GENERATION: '0.41', ...SERVER })).toEqual([
      expect.stringMatching(
        /^CDS_VCS_API_GENERATION: is that of CDS 0\.40 to 0\.43, .* CDS 0\.44 and later take: put sharedInfraToken/,
      ),
    ]);
    expect(said({ ...SHARED, CDS_HOOKS_API_GENERATION: '0.52' })).toEqual([
      expect.stringMatching(
        /^CDS_HOOKS_API_GENERATION: is that of CDS 0\.51 to 0\.53, .*0\.40 to 0\.43/,
      ),
    ]);
  });
});

describe('the token of a consumer', () => {
  it('that cannot be read is to be copied again', () => {
    expect(said({ ...TODAY, CDS_VCS_API_TOKEN: 'eyJhbGci.eyJ0eXBlIjoi.c2ln' })).toEqual([
      expect.stringMatching(/^warning: CDS_VCS_API_TOKEN: .*copy it whole, as CDS printed it$/),
    ]);
  });

  it('is no other token of CDS', () => {
    const startUp = consumerToken('x', 'StartupConfig');

    expect(said({ ...TODAY, CDS_VCS_API_TOKEN: startUp })).toEqual([
      expect.stringMatching(/^CDS_VCS_API_TOKEN: is the token for the first sign-up/),
    ]);
    expect(said({ ...TODAY, CDS_HOOKS_API_TOKEN: consumerToken('x', 'other') })).toEqual([
      expect.stringMatching(/^CDS_HOOKS_API_TOKEN: is a token of CDS, but not that of a consumer/),
    ]);
  });

  it('is for one service', () => {
    expect(said({ ...TODAY, CDS_HOOKS_API_TOKEN: OF_VCS })).toEqual([
      expect.stringMatching(/^CDS_HOOKS_API_TOKEN: is that of the consumer of \[vcs\]/),
    ]);
  });

  it('never stands in what is said', () => {
    const problems = said({
      ...TODAY,
      CDS_VCS_API_GENERATION: '0.41',
      CDS_HOOKS_API_TOKEN: OF_VCS,
      CDS_HOOKS_BRANCHDELETION_TOKEN: 'hunter2',
    });

    expect(problems.length).toBeGreaterThan(2);
    expect(problems.join()).not.toContain(OF_VCS.split('.')[1]);
    expect(problems.join()).not.toContain('hunter2');
  });
});

describe('the token that removes runs', () => {
  it.each([
    ['has the form of no consumer', 'plain', /^CDS_HOOKS_BRANCHDELETION_TOKEN: has not the form/],
    ['is that of the service', OF_HOOKS, /^CDS_HOOKS_BRANCHDELETION_TOKEN: is that of the service/],
  ])('is refused where it %s', (_what, token, sentence) => {
    expect(said({ ...TODAY, CDS_HOOKS_BRANCHDELETION_TOKEN: token })).toEqual([
      expect.stringMatching(sentence),
    ]);
  });

  it('is not used with a shared.infra token', () => {
    expect(said({ ...SHARED, CDS_HOOKS_BRANCHDELETION_TOKEN: OF_HOOKS })).toEqual([
      expect.stringMatching(/^warning: CDS_HOOKS_BRANCHDELETION_TOKEN: is not used/),
    ]);
  });
});

describe('the key of webhooks with tokens of consumers', () => {
  const NO_KEY = { ...TODAY, CDS_VCS_WEBHOOKKEY: '', CDS_HOOKS_WEBHOOKKEY: '' };

  it('is to be given to both, and nothing is checked without it', () => {
    const { vcs, hooks, warnings } = load(NO_KEY);

    expect(vcs?.webhookKey).toBe(OF_VCS);
    expect(hooks).toMatchObject({ signature: 'off', webhookKeys: [] });
    expect(warnings.map(formatProblem)).toEqual([
      expect.stringMatching(/^warning: vcs\.webhookKey: is missing.*the same webhookKey/),
      expect.stringMatching(/^warning: hooks\.webhookKey: is missing.*signatures .* not checked/),
    ]);
  });

  it.each(['auto', 'required'])('is missed where signature = "%s" asks for it', (signature) => {
    expect(said({ ...NO_KEY, CDS_HOOKS_SIGNATURE: signature })).toEqual(
      expect.arrayContaining([
        expect.stringMatching(`^hooks.webhookKey: is missing, so that signature = "${signature}"`),
      ]),
    );
  });

  it('is not needed where signatures are off', () => {
    expect(said({ ...NO_KEY, CDS_HOOKS_SIGNATURE: 'off' })).toEqual([
      expect.stringMatching(/^warning: vcs\.webhookKey/),
    ]);
  });

  it('may be the one before, while it changes', () => {
    const { hooks } = load({ ...NO_KEY, CDS_HOOKS_PREVIOUSWEBHOOKKEYS: OF_VCS });

    expect(hooks).toMatchObject({ signature: 'auto', webhookKeys: [OF_VCS] });
  });

  it('is refused in one section alone, where deliveries would fail', () => {
    expect(said({ ...NO_KEY, CDS_HOOKS_WEBHOOKKEY: KEY })).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^hooks\.webhookKey: is not the key of \[vcs\]/),
      ]),
    );
  });
});

describe('Redis with TLS', () => {
  it('is off, or verified, or not', () => {
    const tlsOf = (env: NodeJS.ProcessEnv) => load({ ...TODAY, ...env }).hooks?.redis.tls;

    expect(tlsOf({})).toBeUndefined();
    expect(tlsOf({ CDS_HOOKS_CACHE_REDIS_INSECURESKIPVERIFYTLS: 'true' })).toBeUndefined();
    expect(tlsOf({ CDS_HOOKS_CACHE_REDIS_ENABLETLS: 'true' })).toEqual({
      rejectUnauthorized: true,
    });
    expect(
      tlsOf({
        CDS_HOOKS_CACHE_REDIS_ENABLETLS: '1',
        CDS_HOOKS_CACHE_REDIS_INSECURESKIPVERIFYTLS: '1',
      }),
    ).toEqual({ rejectUnauthorized: false });
  });
});

describe('what is printed for a version', () => {
  const printed = (cds: string) => printConfig({ services: BOTH, cds });
  /** What a person does with the printed file. */
  const fillIn = (cds: string) =>
    printed(cds)
      .replace(/^name = ""$/m, 'name = "of-vcs"')
      .replace(/^name = ""$/m, 'name = "of-hooks"')
      .replaceAll(/"enter sharedInfraToken[^"]*"/g, '"shared-infra"')
      .replace(/"enter the token [^"]*"/, `"${OF_VCS}"`)
      .replace(/"enter the token [^"]*"/, `"${OF_HOOKS}"`)
      .replaceAll(/^webhookKey = ""$/gm, `webhookKey = "${KEY}"`)
      .replaceAll('"xxxxx"', '"filled-in"')
      .replace('urlPublic = ""', 'urlPublic = "https://hooks.example.com"');

  it.each(KNOWN_CDS_VERSIONS)('%s is right once it is filled in', (cds) => {
    const text = fillIn(cds);

    expect(text).not.toMatch(/"enter |xxxxx/);
    expect(checkConfigText(text).map(formatProblem)).toEqual([]);
    const fixed = text.replaceAll('generation = "auto"', `generation = "${cds}"`);
    expect(checkConfigText(fixed).map(formatProblem)).toEqual([]);
  });

  it.each([
    [
      '0.41',
      ['vcs.UI', 'grpc', 'servers'],
      ['branchDeletion.token', '# proxyWebhook.*\\n\\n\\[vcs.UI'],
    ],
    ['0.49', ['servers'], ['vcs.UI', 'grpc']],
    ['0.53', ['servers'], ['vcs.UI', 'grpc']],
    ['0.57', ['generation'], ['vcs.UI', 'grpc', 'servers']],
  ])('%s has %j and not %j', (cds, has, hasNot) => {
    const text = printed(cds);

    for (const part of has) expect(text).toMatch(new RegExp(part));
    for (const part of hasNot) expect(text).not.toMatch(new RegExp(part));
    expect(text.includes('enter sharedInfraToken')).toBe(!takesConsumerTokens(cds));
  });

  it('is that of today where none is named', () => {
    expect(printConfig({ services: BOTH })).toBe(printed('0.57'));
    expect(printEnv({ services: BOTH })).toBe(printEnv({ services: BOTH, cds: '0.57' }));
  });
});

describeShared("the configuration that CDS 0.57's own engine printed", (root) => {
  const read = (name: string) => readFileSync(join(root, 'contract', 'cds-0.57', name), 'utf8');
  /** `[log]` and `[telemetry]` are in both files. */
  const [log = '', vcs = ''] = read('config-new-vcs.toml').split(/^(?=\[vcs\]$)/m);
  const [hooks = ''] = read('config-new-hooks.toml').split(/^(?=\[log\]$)/m);
  const text = `${log}${vcs}${hooks}`;

  it('starts both services as it is', () => {
    expect(Object.keys(parse(text)).toSorted()).toEqual(['hooks', 'log', 'telemetry', 'vcs']);
    expect(checkConfigText(text).map(({ level, key }) => [level, key])).toEqual([
      ['warning', 'hooks.urlPublic'],
      ['warning', 'vcs.webhookKey'],
      ['warning', 'hooks.webhookKey'],
    ]);
  });

  it('is fine once it has the key of webhooks and the address for Bitbucket', () => {
    const ready = text
      .replace('[vcs]', `[vcs]\nwebhookKey = "${KEY}"`)
      .replace('[hooks]', `[hooks]\nwebhookKey = "${KEY}"`)
      .replace('http://localhost:8080/cdshooks', 'https://cds.example.com/cdshooks');

    expect(checkConfigText(ready)).toEqual([]);
  });

  it('starts both services from its environment', () => {
    const script = `${read('config-new-vcs.env')}\n${read('config-new-hooks.env')}\nexec env -0`;
    const variables = execFileSync('sh', ['-c', script], { env: {}, encoding: 'utf8' });
    const env = Object.fromEntries(
      variables.split('\0').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
    );
    const { vcs: ofVcs, hooks: ofHooks, warnings } = load(env);

    expect(ofVcs).toMatchObject({ name: env['CDS_VCS_NAME'], servers: [] });
    expect(ofHooks).toMatchObject({ name: env['CDS_HOOKS_NAME'] });
    expect(warnings.map(({ key }) => key)).toEqual([
      'vcs.webhookKey',
      'hooks.webhookKey',
      'hooks.urlPublic',
    ]);
  });

  it('registers what CDS registered, but its secrets', () => {
    const exchanges = JSON.parse(read('services-to-api.json')) as {
      request: {
        url: string;
        body: { service?: { type: string; config: Record<string, object> } };
      };
    }[];
    const recorded = (type: string) =>
      exchanges.find(({ request }) => request.body?.service?.type === type)?.request.body.service
        ?.config ?? {};
    const { vcs: ofVcs, hooks: ofHooks } = load(TODAY);
    const keysOf = (config: object | undefined) =>
      Object.keys(config ?? {}).map((key) => key.toLowerCase());

    expect(keysOf(ofVcs && publicConfig('vcs', ofVcs))).toEqual(
      expect.arrayContaining(keysOf(recorded('vcs'))),
    );
    expect(recorded('hooks')).toHaveProperty('RepositoryWebHookKey');
    expect(keysOf(ofHooks && publicConfig('hooks', ofHooks))).not.toContain('repositorywebhookkey');
    expect(Object.keys(recorded('vcs')).length).toBeGreaterThan(5);
  });
});
