import { waitFor } from '@cds/testing';
import { Redis } from 'ioredis';
import {
  createWorkflow,
  outcomes,
  PROJECT,
  type Replica,
  REPO,
  runsOf,
  type ServiceName,
  startStack,
  type Stack,
} from './stack.fixture';

/** Longer than two processes take to start on any machine; ended as soon as both wait. */
const PAUSE_MS = 240_000;

let stack: Stack;
let redis: Redis;
/** Of the tests of one `describe`. */
function startsStack(): void {
  beforeAll(async () => {
    stack = await startStack({ api: { cds: '0.41' } });
    redis = new Redis(stack.redis.url);
  });
  afterAll(async () => {
    redis?.disconnect();
    await stack?.stop();
  });
}

/**
 * Starts two replicas of a service and has Redis hold back what they write until both wait for
 * their first write: then both are let on at once.
 */
async function startTogether(name: ServiceName): Promise<Replica[]> {
  await redis.client('PAUSE', PAUSE_MS, 'WRITE');
  const replicas = await Promise.all([1, 2].map((replica) => stack.start(name, { replica })));
  const waits = (list: string, number: number): boolean =>
    list
      .split('\n')
      .some((line) => line.includes(` name=e2e-${name}-${number} `) && / flags=\S*b/.test(line));
  await waitFor(
    async () => {
      const list = (await redis.client('LIST')) as string;
      return waits(list, 1) && waits(list, 2);
    },
    { what: `both replicas of ${name} to wait for their first write` },
  );
  await redis.client('UNPAUSE');
  return replicas;
}

/** What says in Redis whose the state of a service is. */
async function ownersOf(name: ServiceName): Promise<string[]> {
  const fields = await redis.hkeys(`cdsbb:${name}:state`);
  return fields.filter((field) => field.startsWith('owner:'));
}

/** Calls a replica as the API does that got its registration. */
async function callReplica({ url }: Replica, path: string): Promise<Response> {
  const { hash } = stack.api.services().find((service) => service.url === url) ?? { hash: '' };
  const link = stack.api.vcsLink(PROJECT);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return fetch(`${url}${path}`, {
    headers: {
      X_AUTH_HEADER: base64(hash),
      'X-CDS-ACCESS-TOKEN': base64(link.accessToken),
      'X-CDS-ACCESS-TOKEN-SECRET': base64(link.refreshToken),
      'X-CDS-ACCESS-TOKEN-CREATED': base64(String(link.created)),
    },
  });
}

async function expectAnswers(replicas: Replica[], path: string): Promise<void> {
  for (const replica of replicas) {
    const answer = await callReplica(replica, path);
    expect([replica.url, answer.status]).toEqual([replica.url, 200]);
  }
}

/** Waits until nothing about the state is at AL or WARN, and looks whether anybody had to act. */
async function expectHealthy(replicas: Replica[]): Promise<void> {
  for (const { url, process } of replicas) {
    await waitFor(
      async () => {
        const answer = await fetch(`${url}/mon/status`);
        const { lines } = (await answer.json()) as {
          lines: { component: string; status: string }[];
        };
        return !lines.some(
          ({ component, status }) =>
            /\b(State|Redis|Registration)\b/i.test(component) && status !== 'OK',
        );
      },
      { what: `${url} to be OK` },
    );
    expect(process.stdout()).not.toMatch(/"level":(50|60)|another CDS|call refused/);
  }
}

describe('two replicas of vcs that start at the same moment', () => {
  const BRANCHES = `/vcs/bitbucketcloud/repos/${REPO}/branches`;
  let first: Replica[];
  startsStack();
  beforeAll(async () => {
    first = await startTogether('vcs');
    await stack.registered(2);
    await stack.api.linkProject(PROJECT);
  });

  it('own the state of an empty Redis together, register both, and both answer the API', async () => {
    await expectAnswers(first, BRANCHES);
    expect(await ownersOf('vcs')).toHaveLength(1);
    expect(
      await stack.api.callVcs(PROJECT, 'bitbucketcloud', 'GET', `/repos/${REPO}`),
    ).toMatchObject({ fullname: REPO });
    await expectHealthy(first);

    // A grant that both want to renew is renewed once.
    stack.bitbucket.expireAccessTokens();
    const answers = await Promise.all(
      first.flatMap((replica) => [callReplica(replica, BRANCHES), callReplica(replica, BRANCHES)]),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(stack.bitbucket.oauth.counts.refresh_token).toBe(1);
    expect(stack.bitbucket.oauth.counts.refused).toBe(0);
  });

  it('go on with what they find when both are started again', async () => {
    const hashes = new Set(stack.api.services().map(({ hash }) => hash));
    const owners = await ownersOf('vcs');
    await Promise.all(first.map((replica) => replica.stop('SIGKILL')));

    const replicas = await startTogether('vcs');
    // The API knows the old ones until their next registration, which is that of the new.
    await waitFor(
      () => replicas.every(({ url }) => stack.api.services().some((one) => one.url === url)),
      { what: 'both to register again' },
    );
    await expectAnswers(replicas, BRANCHES);
    expect(await ownersOf('vcs')).toEqual(owners);
    expect(stack.api.services().filter(({ hash }) => hashes.has(hash))).toHaveLength(2);
    await expectHealthy(replicas);
  });
});

describe('two replicas of hooks that start at the same moment', () => {
  startsStack();

  it('own the state of an empty Redis together, and keep each hook of the API and run once', async () => {
    const { hooks } = await stack.startLinked();
    await createWorkflow(stack, 'w');
    await hooks.stop();
    stack.api.forgetServices('hooks');
    const left = await redis.keys('cdsbb:hooks:*');
    await redis.del(left);

    const replicas = await startTogether('hooks');
    await stack.registered(3);
    await waitFor(async () => (await redis.scard('cdsbb:hooks:tasks')) === 1, {
      what: 'the hook of the API',
    });
    expect(await ownersOf('hooks')).toHaveLength(1);
    await expectAnswers(replicas, '/task');
    expect(await redis.hgetall('cdsbb:hooks:kinds')).toEqual({ RepoWebHook: '1' });

    const [webhook] = stack.bitbucket.repository(REPO).webhooks.values();
    if (!webhook) throw new Error('no webhook');
    const path = new URL(webhook.url).pathname;
    for (const [index, { url }] of replicas.entries()) {
      webhook.url = `${url}${path}`;
      const pushed = await stack.bitbucket.push({ repo: REPO, branch: `b${index}` });
      expect(await outcomes(pushed)).toEqual([200]);
    }
    const runs = await runsOf(stack, 'w', 2);
    expect(runs.map(({ event }) => event.payload['git.branch'])).toEqual(['b0', 'b1']);
    await expectHealthy(replicas);
    expect(stack.api.runs(PROJECT, 'w')).toHaveLength(2);
  });
});
