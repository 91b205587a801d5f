import { hashOf } from '../../test/stand-in-data.fixture';
import { ApiError } from '@cds/api-client';
import { vcsKeys } from '@cds/redis';
import { waitFor } from '@cds/testing';
import {
  type InstanceOptions,
  type Pair,
  useTestContext,
  type VcsInstance,
} from '../../test/test-context.fixture';

const STATUS = '/vcs/bitbucketcloud/status';

const context = useTestContext();
let vcs: VcsInstance;
let commit: string;

beforeEach(() => {
  vcs = context.instance();
  commit = String(context.widgets.commits[0]?.hash);
});

interface EventChange {
  type?: string;
  workflow?: string;
  node?: Record<string, unknown>;
}

function event({ type, workflow, node }: EventChange = {}) {
  return {
    timestamp: '2026-11-22T10:38:43.945637681Z',
    hostname: 'vm',
    cdsname: 'api_instance',
    type_event: type ?? 'sdk.EventRunWorkflowNode',
    attempt: 0,
    project_key: 'PROJ',
    workflow_name: workflow ?? 'build-all',
    event_integrations_id: null,
    payload: {
      BranchName: 'feat/one',
      Hash: commit,
      NodeName: 'compile',
      Number: 1,
      SubNumber: 0,
      RepositoryFullName: 'acme/widgets',
      Status: 'Building',
      Tag: '',
      ...node,
    },
  };
}

const send = (change?: EventChange, instance = vcs) =>
  instance.call('post', STATUS, context.pair).send(event(change));
/** Links the project through vcs, which keeps its tokens then. */
async function linkAgain(): Promise<Pair> {
  const secret = context.bitbucket.oauth.code();
  const { body } = await vcs
    .call('post', '/vcs/bitbucketcloud/authorize')
    .send({ token: 'the-state', secret });
  context.pair = { accessToken: body.token, refreshToken: body.secret };
  return context.pair;
}
const posted = () => context.bitbucket.requests.filter((request) => request.method === 'POST');
const states = () => posted().map((request) => (request.body as { state: string }).state);
const atBitbucket = () => [...(context.widgets.statuses.get(commit)?.values() ?? [])];

describe('a build status', () => {
  it('is remembered by its commit, for an operator who asks', async () => {
    await send();
    await send({ node: { Status: 'Success' } });
    const key = vcsKeys.statusesOfCommit('ACME/widgets', commit);
    const stored = await vcs.redis.hgetall(key);
    expect(Object.keys(stored)).toEqual(['CDS/PROJ-build-all-compile']);
    expect(JSON.parse(Object.values(stored)[0] ?? '')).toMatchObject({
      ...{ state: 'SUCCESSFUL', number: 1, at: expect.any(Number) },
    });
    expect(await vcs.redis.ttl(key)).toBeGreaterThan(0);
  });

  it('names the run, its state and its branch', async () => {
    const answer = await send();
    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect(posted().map((request) => request.body)).toEqual([
      {
        key: 'CDS/PROJ-build-all-compile',
        name: 'CDS/PROJ-build-all-compile',
        state: 'INPROGRESS',
        description: 'compile: Building',
        url: 'https://cds.acme.example/project/PROJ/workflow/build-all/run/1',
        refname: 'feat/one',
      },
    ]);
  });

  it.each([
    ['Fail', 'FAILED'],
    ['Success', 'SUCCESSFUL'],
    ['Stopped', 'STOPPED'],
    ['Building', 'INPROGRESS'],
    ['Pending', 'INPROGRESS'],
  ])('%s is %s', async (status, state) => {
    await send({ node: { Status: status } });
    expect(states()).toEqual([state]);
  });

  it.each(['Checking', 'Disabled', 'Never Built', 'Skipped', 'Unknown', 'Waiting'])(
    '%s is not sent',
    async (status) => {
      expect((await send({ node: { Status: status } })).status).toBe(204);
      expect(posted()).toEqual([]);
    },
  );

  it('Skipped is SUCCESSFUL for CDS 0.42 and later', async () => {
    await send({ node: { Status: 'Skipped' } }, context.instance({ apiVersion: [0, 42] }));
    expect(states()).toEqual(['SUCCESSFUL']);
  });

  it('has no refname for a tag', async () => {
    await send({ node: { BranchName: '', Tag: 'v1' } });
    expect(posted()[0]?.body).not.toHaveProperty('refname');
  });

  it('does not tell where CDS is without showDetail', async () => {
    await send({}, context.instance({ status: { showDetail: false } }));
    expect(posted()[0]?.body).toMatchObject({ url: 'https://ovh.github.io/cds/' });
  });

  it.each([
    ['other events', { type: 'sdk.EventRunWorkflow' }],
    ['a run without a commit', { node: { Hash: '' } }],
    ['a run without a repository', { node: { RepositoryFullName: '' } }],
  ])('is not made of %s', async (_, change) => {
    expect((await send(change)).status).toBe(204);
    expect(context.bitbucket.requests).toEqual([]);
  });

  it('is not made at all when statuses are disabled', async () => {
    const silent = context.instance({ status: { disable: true } });
    expect((await send({}, silent)).status).toBe(204);
    expect(context.bitbucket.requests).toEqual([]);
  });

  it.each([
    ['no event', 'text'],
    ['an event without its run', { ...event(), payload: 'text' }],
    [
      'a repository that is none',
      event({ node: { Hash: hashOf('any'), RepositoryFullName: 'widgets' } }),
    ],
  ])('%s is 400', async (_, body) => {
    const answer = await vcs
      .call('post', STATUS, context.pair)
      .set('content-type', 'application/json')
      .send(JSON.stringify(body));
    expect(answer.status).toBe(400);
    expect(answer.body.id).toBe(74);
  });

  it('of a commit that Bitbucket does not have is 404', async () => {
    const answer = await send({ node: { Hash: hashOf('nowhere') } });
    expect(answer.status).toBe(404);
  });

  it('may come in an event of more than 1 MiB', async () => {
    const large = { ...event(), filler: 'x'.repeat(2 * 1024 * 1024) };
    expect((await vcs.call('post', STATUS, context.pair).send(large)).status).toBe(204);
    expect(states()).toEqual(['INPROGRESS']);
  });
});

describe('the order of statuses', () => {
  it('the same one is sent once, also by another replica', async () => {
    const replica = context.instance();
    for (const instance of [vcs, vcs, replica]) await send({}, instance);
    await send({ node: { Status: 'Success' } });
    await send({ node: { Status: 'Success' } }, replica);
    expect(states()).toEqual(['INPROGRESS', 'SUCCESSFUL']);
  });

  it('the same one from everywhere at once is sent once', async () => {
    const replicas = [vcs, context.instance()];
    context.bitbucket.latencyMs = 50;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => send({}, replicas[index % 2])),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(204));
    expect(states()).toEqual(['INPROGRESS']);
  });

  it('what is late does not overwrite what is newer', async () => {
    await send({ node: { Number: 2, Status: 'Success' } });
    await send({ node: { Number: 2, Status: 'Building' } });
    await send({ node: { Number: 1, SubNumber: 5, Status: 'Fail' } });
    expect(states()).toEqual(['SUCCESSFUL']);
  });

  it('a node that runs again starts anew', async () => {
    await send({ node: { Status: 'Fail' } });
    await send({ node: { Status: 'Building', SubNumber: 1 } });
    await send({ node: { Status: 'Success', SubNumber: 1 } });
    await send({ node: { Status: 'Building', Number: 2 } });
    expect(states()).toEqual(['FAILED', 'INPROGRESS', 'SUCCESSFUL', 'INPROGRESS']);
  });

  it('a slow status of one replica is not overtaken by another', async () => {
    const replica = context.instance();
    context.bitbucket.latencyMs = 300;
    const first = send({ node: { Status: 'Building' } }).then((answer) => answer.status);
    await waitFor(() => context.bitbucket.requests.some(({ method }) => method === 'POST'), {
      what: 'the first status to be under way',
    });
    context.bitbucket.latencyMs = 0;
    await send({ node: { Status: 'Success' } }, replica);
    await first;
    expect(atBitbucket().map((status) => status.state)).toEqual(['SUCCESSFUL']);
  });

  it('nodes, commits and workflows do not mix', async () => {
    await send();
    await send({ node: { NodeName: 'deploy' } });
    await send({ workflow: 'other' });
    await send({ node: { Hash: context.widgets.commits[1]?.hash } });
    expect(posted()).toHaveLength(4);
  });

  it('one that failed is sent when the event is repeated', async () => {
    context.bitbucket.disturb({
      method: 'POST',
      path: /statuses\/build$/,
      status: 403,
      body: { type: 'error', error: { message: 'Forbidden' } },
    });
    expect((await send()).status).toBe(403);
    expect((await send()).status).toBe(204);
    expect(atBitbucket()).toHaveLength(1);
  });

  it('is kept by the process that sent it when Redis loses it', async () => {
    await send({ node: { Status: 'Success' } });
    await context.redisServer.flush();
    await send({ node: { Status: 'Building' } });

    expect(states()).toEqual(['SUCCESSFUL']);
  });

  it('is the one of the other replica when that sent later than what Redis did not take', async () => {
    const other = context.instance();
    await context.redisServer.kill();
    await send({ node: { Status: 'Building' } });
    await context.reviveRedis();
    await send({ node: { Status: 'Success' } }, other);
    await send({ node: { Status: 'Pending' } });

    expect(states()).toEqual(['INPROGRESS', 'SUCCESSFUL']);
  });

  it('is kept within a process while Redis is away', async () => {
    await vcs.redis.ping();
    await context.redisServer.kill();
    for (const status of ['Building', 'Building', 'Success', 'Building'])
      expect((await send({ node: { Status: status } })).status).toBe(204);
    expect(states()).toEqual(['INPROGRESS', 'SUCCESSFUL']);
    await context.reviveRedis();
    await send({ node: { Status: 'Success' } });
    expect(states()).toEqual(['INPROGRESS', 'SUCCESSFUL']);
  });
});

describe('a build whose end was never told', () => {
  const FAR = { project: 'PROJ', workflow: 'build-all', number: 1, node: 'compile' };
  type Answer = { subNumber: number; status: string } | undefined | Error;

  /** An instance whose API says how builds ended. */
  function knowing(
    answer: (node: string) => Answer | Promise<Answer>,
    options: InstanceOptions = {},
  ) {
    const asked: { node: string }[] = [];
    const api = {
      async nodeRun(ref: { node: string }) {
        asked.push(ref);
        const said = await answer(ref.node);
        if (said instanceof Error) throw said;
        return said;
      },
    };
    return { asked, instance: context.instance({ ...options, api }) };
  }
  const unfinished = () => vcs.redis.zrange(vcsKeys.unfinished, '0', '-1');
  /** As when the pause before the next look is over. */
  const dueNow = async () => {
    for (const id of await unfinished()) await vcs.redis.zadd(vcsKeys.unfinished, 'XX', 1, id);
  };
  const refusal = (status: number) => new ApiError('refused', 'no such run', { status, cdsId: 1 });

  it.each([
    ['Success', 'SUCCESSFUL'],
    ['Fail', 'FAILED'],
    ['Stopped', 'STOPPED'],
  ])('is asked for by the next process, and sent: %s', async (status, state) => {
    await linkAgain();
    await send();
    const { instance, asked } = knowing(() => ({ subNumber: 0, status }));
    instance.app.start();
    await waitFor(() => states().length === 2);
    expect(states()).toEqual(['INPROGRESS', state]);
    expect(asked).toEqual([FAR]);
    expect(posted()[1]?.body).toMatchObject({
      key: 'CDS/PROJ-build-all-compile',
      description: `compile: ${status}`,
      refname: 'feat/one',
    });
    await waitFor(async () => (await unfinished()).length === 0);
    // The event that comes after all changes nothing, nor does a late one.
    await send({ node: { Status: status } });
    await send();
    expect(states()).toEqual(['INPROGRESS', state]);
  });

  it('is remembered before Bitbucket has its beginning', async () => {
    context.bitbucket.latencyMs = 400;
    const sending = send().then(({ status }) => status);
    await waitFor(() => posted().length === 1);
    expect(await unfinished()).toHaveLength(1);
    expect(atBitbucket()).toEqual([]);
    expect(await sending).toBe(204);
  });

  it('is not asked for where its end was told', async () => {
    await send();
    expect(await unfinished()).toHaveLength(1);
    await send({ node: { Status: 'Success' } });
    expect(await unfinished()).toEqual([]);
  });

  it('is the newest run of the node', async () => {
    await linkAgain();
    await send();
    knowing(() => ({ subNumber: 2, status: 'Fail' })).instance.app.start();
    await waitFor(() => states().length === 2);
    await send({ node: { Status: 'Success', SubNumber: 1 } });
    expect(states()).toEqual(['INPROGRESS', 'FAILED']);
  });

  it('is asked for again while it goes on, and by nobody else meanwhile', async () => {
    await linkAgain();
    await send();
    let status = 'Building';
    const { instance, asked } = knowing(() => ({ subNumber: 0, status }));
    const other = knowing(() => ({ subNumber: 0, status }));
    instance.app.start();
    await waitFor(() => asked.length === 1);
    await waitFor(
      async () => Number(await vcs.redis.zscore(vcsKeys.unfinished, await first())) > 1,
    );
    status = 'Success';
    other.instance.app.start();
    await waitFor(() => states().length === 2);
    await waitFor(async () => (await unfinished()).length === 0);
    expect(asked.length + other.asked.length).toBe(2);
    async function first() {
      return String((await unfinished())[0]);
    }
  });

  it('of a grant that is renewed for it, with nobody asking', async () => {
    const pair = await linkAgain();
    await send();
    context.bitbucket.oauth.expire(pair.accessToken);
    knowing(() => ({ subNumber: 0, status: 'Success' })).instance.app.start();
    await waitFor(() => atBitbucket()[0]?.state === 'SUCCESSFUL');
  });

  it('waits for an API that does not answer', async () => {
    await linkAgain();
    await send();
    let answer: Answer = new ApiError('unavailable', 'away');
    const { instance, asked } = knowing(() => answer);
    instance.app.start();
    await waitFor(() => asked.length >= 2);
    answer = { subNumber: 0, status: 'Success' };
    await waitFor(() => states().length === 2);
  });

  /** Notes the beginning of a build of each node; they are asked about in this order. */
  const begun = async (nodes: string[]) => {
    await linkAgain();
    const inOrder: string[] = [];
    for (const NodeName of nodes) {
      await send({ node: { NodeName } });
      inOrder.push(...(await unfinished()).filter((id) => !inOrder.includes(id)));
    }
    for (const [at, id] of inOrder.entries())
      await vcs.redis.zadd(vcsKeys.unfinished, 'XX', at + 1, id);
  };
  const stateOf = (node: string) =>
    atBitbucket().find(({ key }) => key === `CDS/PROJ-build-all-${node}`)?.state;

  it.each([
    ['cannot be read', new ApiError('unavailable', 'not of the API')],
    ['takes a proxy too long', new ApiError('unavailable', 'HTTP 504', { status: 504 })],
    ['takes longer than one may', new DOMException('aborted', 'AbortError')],
    ['breaks the reading of it', new TypeError('no such property')],
  ])('holds up no other where the answer about it %s', async (_, error) => {
    // More than the answers that may be missing in a row.
    const silent = Array.from({ length: 7 }, (_, at) => `silent-${at}`);
    await begun([...silent, 'compile']);
    let said: Answer = error;
    const { instance, asked } = knowing((node) =>
      node === 'compile' ? { subNumber: 0, status: 'Success' } : said,
    );
    instance.app.start();
    await waitFor(() => stateOf('compile') === 'SUCCESSFUL');
    expect(silent.map(stateOf)).toEqual(silent.map(() => 'INPROGRESS'));
    await waitFor(() => asked.filter(({ node }) => node === 'silent-0').length >= 3);
    const warnings = context.logged.filter(({ msg }) => /gives no answer/.test(String(msg)));
    expect(warnings.map(({ node }) => node).sort()).toEqual(silent);
    said = { subNumber: 0, status: 'Fail' };
    await waitFor(() => silent.every((node) => stateOf(node) === 'FAILED'));
    await waitFor(async () => (await unfinished()).length === 0);
  });

  it('is asked for in the next round after several answers in a row that are missing', async () => {
    const nodes = Array.from({ length: 7 }, (_, at) => `silent-${at}`);
    await begun(nodes);
    const rounds: number[] = [];
    const { instance, asked } = knowing(async () => {
      const stats = await vcs.redis.info('commandstats');
      rounds.push(Number(/cmdstat_zremrangebyrank:calls=(\d+)/.exec(stats)?.[1]));
      return new ApiError('unavailable', 'HTTP 502', { status: 502 });
    });
    instance.app.start();
    await waitFor(() => rounds.length >= 7);
    expect(asked.slice(0, 7).map(({ node }) => node)).toEqual(nodes);
    const [first = 0] = rounds;
    expect(rounds.slice(0, 7).map((round) => round - first)).toEqual([0, 0, 0, 0, 0, 1, 1]);
  });

  it('is one call in a round while no connection to the API comes about', async () => {
    await begun(['compile', 'test']);
    let away = true;
    const { instance, asked } = knowing(() =>
      away
        ? new ApiError('unavailable', 'connect ECONNREFUSED', { mayBeDone: false })
        : { subNumber: 0, status: 'Success' },
    );
    instance.app.start();
    await waitFor(() => asked.length >= 4);
    expect(new Set(asked.map(({ node }) => node))).toEqual(new Set(['compile']));
    away = false;
    await waitFor(() => stateOf('compile') === 'SUCCESSFUL' && stateOf('test') === 'SUCCESSFUL');
  });

  it('does not end a round where its record cannot be read', async () => {
    await begun(['broken', 'compile']);
    const [id = ''] = await unfinished();
    await vcs.redis.del(vcsKeys.unfinishedStatus(id));
    await vcs.redis.lpush(vcsKeys.unfinishedStatus(id), 'no string');
    knowing(() => ({ subNumber: 0, status: 'Success' })).instance.app.start();
    await waitFor(() => stateOf('compile') === 'SUCCESSFUL');
  });

  it.each([403, 404])(
    'is warned of once where the API refuses to say (%d), and forgotten after a day',
    async (code) => {
      await linkAgain();
      await send();
      const { instance, asked } = knowing(() => refusal(code));
      instance.app.start();
      const warnings = () =>
        context.logged.filter(({ msg }) =>
          String(msg).startsWith('build status stays in progress'),
        );
      await waitFor(() => warnings().length === 1);
      await dueNow();
      await waitFor(() => asked.length >= 2);
      const [id = ''] = await unfinished();
      const key = vcsKeys.unfinishedStatus(id);
      const record = JSON.parse(String(await vcs.redis.get(key)));
      await vcs.redis.set(key, JSON.stringify({ ...record, refusedSince: 1 }));
      await dueNow();
      await waitFor(async () => (await unfinished()).length === 0);
      expect(warnings()).toHaveLength(1);
      expect(warnings()[0]).toMatchObject({ project: 'PROJ', workflow: 'build-all', run: 1 });
      expect(states()).toEqual(['INPROGRESS']);
    },
  );

  it('is sent again when it was Bitbucket that did not take its end', async () => {
    await linkAgain();
    await send();
    const { instance } = knowing(() => ({ subNumber: 0, status: 'Success' }));
    context.bitbucket.disturb({ path: /statuses/, method: 'POST', status: 503, times: 99 });
    expect((await send({ node: { Status: 'Success' } })).status).toBeGreaterThanOrEqual(500);
    expect(await unfinished()).toHaveLength(1);
    context.bitbucket.calm();
    instance.app.start();
    await waitFor(() => atBitbucket()[0]?.state === 'SUCCESSFUL');
  });

  it('is not remembered where Bitbucket refused its beginning', async () => {
    context.bitbucket.disturb({ path: /statuses/, method: 'POST', status: 403, body: {} });
    await send();
    expect(await unfinished()).toEqual([]);
  });

  it('leaves no token in Redis in clear', async () => {
    const pair = await linkAgain();
    await send();
    const [id = ''] = await unfinished();
    const record = String(await vcs.redis.get(vcsKeys.unfinishedStatus(id)));
    expect(record).toContain('build-all');
    expect(record).not.toContain(pair.accessToken);
    expect(record).not.toContain(pair.refreshToken);
  });
});

describe('long names', () => {
  const long = 'a-node-with-a-name-that-goes-on-and-on';

  it('have keys that Bitbucket takes, distinct and stable', async () => {
    await send({ node: { NodeName: `${long}-1` } });
    await send({ node: { NodeName: `${long}-2` } });
    await send({ node: { NodeName: `${long}-1`, Status: 'Success' } }, context.instance());
    const keys = atBitbucket().map((status) => String(status.key));

    expect(keys).toHaveLength(2);
    for (const key of keys) expect(key).toHaveLength(40);
    expect(atBitbucket().map((status) => status.state)).toEqual(['SUCCESSFUL', 'INPROGRESS']);
  });

  it('are listed whole', async () => {
    await send({ node: { NodeName: long } });
    const { body } = await vcs.call('get', listing(), context.pair);
    expect(body[0].description).toBe(`CDS/PROJ-build-all-${long}`);
  });
});

describe('what Bitbucket refuses', () => {
  const DOCS = 'https://ovh.github.io/cds/';

  it.each(['http://cds-ui:4200', 'http://intranet/cds', 'https://cds_ui.acme.com'])(
    'a UI at %s: statuses lead to the documentation and arrive',
    async (uiUrl) => {
      const answer = await send({}, context.instance({ uiUrl }));
      expect(answer.status).toBe(204);
      expect(atBitbucket()).toMatchObject([{ state: 'INPROGRESS', url: DOCS }]);
    },
  );

  it('a URL that is too long: of a long name of a workflow', async () => {
    expect((await send({ workflow: 'w'.repeat(500) })).status).toBe(204);
    expect(atBitbucket()).toMatchObject([{ url: DOCS }]);
  });

  it.each(['a', '𝒂'])(
    'names, descriptions and branches that are too long, of %s',
    async (letter) => {
      const long = letter.repeat(300);
      const names = [`${long}-1`, `${long}-2`];
      for (const NodeName of names)
        expect((await send({ node: { NodeName, BranchName: long } })).status).toBe(204);
      await send({ node: { NodeName: names[0], BranchName: long, Status: 'Success' } });
      const [first, second] = atBitbucket();
      expect([first?.state, second?.state]).toEqual(['SUCCESSFUL', 'INPROGRESS']);
      expect(first?.name).not.toBe(second?.name);
      expect(first?.description).toMatch(/…: Success$/);
      expect(first).not.toHaveProperty('refname');
      for (const text of [first?.name, first?.description, first?.key])
        expect(() => encodeURIComponent(String(text))).not.toThrow();
    },
  );

  it('keeps the branch of an ordinary length whole', async () => {
    const BranchName = `feat/${'b'.repeat(200)}`;
    await send({ node: { BranchName } });
    expect(atBitbucket()).toMatchObject([{ refname: BranchName }]);
  });
});

function listing(revision = commit): string {
  return `/vcs/bitbucketcloud/repos/acme/widgets/commits/${revision}/statuses`;
}

describe('listing statuses', () => {
  it('answers the name, by which CDS knows what it need not send again', async () => {
    await send({ node: { Status: 'Success' } });
    expect((await vcs.call('get', listing(), context.pair)).body).toEqual([
      {
        ref: commit,
        created_at: '2026-10-05T10:11:12.12Z',
        state: 'Success',
        description: 'CDS/PROJ-build-all-compile',
      },
    ]);
  });

  it('maps the states back and leaves out those of others', async () => {
    const add = (name: string, state: string) => ({
      key: name,
      name,
      state,
      created_on: '2026-11-20T10:11:12+00:00',
    });
    const all = [
      add('CDS/1', 'SUCCESSFUL'),
      add('CDS/2', 'FAILED'),
      add('CDS/3', 'STOPPED'),
      add('CDS/4', 'INPROGRESS'),
      add('Pipelines', 'FAILED'),
    ];
    context.widgets.statuses.set(commit, new Map(all.map((status) => [status.key, status])));
    const { body } = await vcs.call('get', listing(), context.pair);

    expect(body.map((status: { state: string }) => status.state)).toEqual([
      'Success',
      'Fail',
      'Stopped',
      'Building',
    ]);
    expect(body[0].created_at).toBe('2026-11-20T10:11:12Z');
  });

  it('takes a tag with slashes, unescaped', async () => {
    context.widgets.tags.push({ name: 'release/1/0', message: null, hash: commit });
    await send({ node: { Status: 'Success' } });
    const answer = await vcs.call('get', listing('release/1/0'), context.pair);

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject([{ ref: 'release/1/0', state: 'Success' }]);
  });

  it('of an unknown commit is 404', async () => {
    expect((await vcs.call('get', listing(hashOf('nowhere')), context.pair)).status).toBe(404);
  });
});
