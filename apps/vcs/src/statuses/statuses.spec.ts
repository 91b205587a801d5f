import { hashOf } from '../../test/stand-in-data.fixture';
import {
  startVcsHarness,
  useTestRedis,
  type VcsHarness,
  type VcsInstance,
} from '../../test/vcs-harness.fixture';

const STATUS = '/vcs/bitbucketcloud/status';

const redisServer = useTestRedis();

let harness: VcsHarness;
let vcs: VcsInstance;
let commit: string;

beforeEach(async () => {
  harness = await startVcsHarness(redisServer());
  vcs = harness.instance();
  commit = String(harness.widgets.commits[0]?.hash);
});

afterEach(() => harness.close());

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
  instance.call('post', STATUS, harness.pair).send(event(change));
const posted = () => harness.bitbucket.requests.filter((request) => request.method === 'POST');
const states = () => posted().map((request) => (request.body as { state: string }).state);
const atBitbucket = () => [...(harness.widgets.statuses.get(commit)?.values() ?? [])];

describe('a build status', () => {
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
    await send({ node: { Status: 'Skipped' } }, harness.instance({ apiVersion: [0, 42] }));
    expect(states()).toEqual(['SUCCESSFUL']);
  });

  it('has no refname for a tag', async () => {
    await send({ node: { BranchName: '', Tag: 'v1' } });
    expect(posted()[0]?.body).not.toHaveProperty('refname');
  });

  it('does not tell where CDS is without showDetail', async () => {
    await send({}, harness.instance({ status: { showDetail: false } }));
    expect(posted()[0]?.body).toMatchObject({ url: 'https://ovh.github.io/cds/' });
  });

  it.each([
    ['other events', { type: 'sdk.EventRunWorkflow' }],
    ['a run without a commit', { node: { Hash: '' } }],
    ['a run without a repository', { node: { RepositoryFullName: '' } }],
  ])('is not made of %s', async (_, change) => {
    expect((await send(change)).status).toBe(204);
    expect(harness.bitbucket.requests).toEqual([]);
  });

  it('is not made at all when statuses are disabled', async () => {
    const silent = harness.instance({ status: { disable: true } });
    expect((await send({}, silent)).status).toBe(204);
    expect(harness.bitbucket.requests).toEqual([]);
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
      .call('post', STATUS, harness.pair)
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
    expect((await vcs.call('post', STATUS, harness.pair).send(large)).status).toBe(204);
    expect(states()).toEqual(['INPROGRESS']);
  });
});

describe('the order of statuses', () => {
  it('the same one is sent once, also by another replica', async () => {
    const replica = harness.instance();
    for (const instance of [vcs, vcs, replica]) await send({}, instance);
    await send({ node: { Status: 'Success' } });
    await send({ node: { Status: 'Success' } }, replica);
    expect(states()).toEqual(['INPROGRESS', 'SUCCESSFUL']);
  });

  it('the same one from everywhere at once is sent once', async () => {
    const replicas = [vcs, harness.instance()];
    harness.bitbucket.latencyMs = 50;
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
    const replica = harness.instance();
    harness.bitbucket.latencyMs = 300;
    const first = send({ node: { Status: 'Building' } }).then((answer) => answer.status);
    await new Promise((resolve) => setTimeout(resolve, 100));
    harness.bitbucket.latencyMs = 0;
    await send({ node: { Status: 'Success' } }, replica);
    await first;
    expect(atBitbucket().map((status) => status.state)).toEqual(['SUCCESSFUL']);
  });

  it('nodes, commits and workflows do not mix', async () => {
    await send();
    await send({ node: { NodeName: 'deploy' } });
    await send({ workflow: 'other' });
    await send({ node: { Hash: harness.widgets.commits[1]?.hash } });
    expect(posted()).toHaveLength(4);
  });

  it('one that failed is sent when the event is repeated', async () => {
    harness.bitbucket.disturb({
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
    await harness.redisServer.flush();
    await send({ node: { Status: 'Building' } });

    expect(states()).toEqual(['SUCCESSFUL']);
  });

  it('is the one of the other replica when that sent later than what Redis did not take', async () => {
    const other = harness.instance();
    await harness.redisServer.kill();
    await send({ node: { Status: 'Building' } });
    await harness.reviveRedis();
    await send({ node: { Status: 'Success' } }, other);
    await send({ node: { Status: 'Pending' } });

    expect(states()).toEqual(['INPROGRESS', 'SUCCESSFUL']);
  });

  it('is kept within a process while Redis is away', async () => {
    await vcs.redis.ping();
    await harness.redisServer.kill();
    for (const status of ['Building', 'Building', 'Success', 'Building'])
      expect((await send({ node: { Status: status } })).status).toBe(204);
    expect(states()).toEqual(['INPROGRESS', 'SUCCESSFUL']);
    await harness.reviveRedis();
    await send({ node: { Status: 'Success' } });
    expect(states()).toEqual(['INPROGRESS', 'SUCCESSFUL']);
  });
});

describe('long names', () => {
  const long = 'a-node-with-a-name-that-goes-on-and-on';

  it('have keys that Bitbucket takes, distinct and stable', async () => {
    await send({ node: { NodeName: `${long}-1` } });
    await send({ node: { NodeName: `${long}-2` } });
    await send({ node: { NodeName: `${long}-1`, Status: 'Success' } }, harness.instance());
    const keys = atBitbucket().map((status) => String(status.key));

    expect(keys).toHaveLength(2);
    for (const key of keys) expect(key).toHaveLength(40);
    expect(atBitbucket().map((status) => status.state)).toEqual(['SUCCESSFUL', 'INPROGRESS']);
  });

  it('are listed whole', async () => {
    await send({ node: { NodeName: long } });
    const { body } = await vcs.call('get', listing(), harness.pair);
    expect(body[0].description).toBe(`CDS/PROJ-build-all-${long}`);
  });
});

function listing(revision = commit): string {
  return `/vcs/bitbucketcloud/repos/acme/widgets/commits/${revision}/statuses`;
}

describe('listing statuses', () => {
  it('answers the name, by which CDS knows what it need not send again', async () => {
    await send({ node: { Status: 'Success' } });
    expect((await vcs.call('get', listing(), harness.pair)).body).toEqual([
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
    harness.widgets.statuses.set(commit, new Map(all.map((status) => [status.key, status])));
    const { body } = await vcs.call('get', listing(), harness.pair);

    expect(body.map((status: { state: string }) => status.state)).toEqual([
      'Success',
      'Fail',
      'Stopped',
      'Building',
    ]);
    expect(body[0].created_at).toBe('2026-11-20T10:11:12Z');
  });

  it('takes a tag with slashes, unescaped', async () => {
    harness.widgets.tags.push({ name: 'release/1/0', message: null, hash: commit });
    await send({ node: { Status: 'Success' } });
    const answer = await vcs.call('get', listing('release/1/0'), harness.pair);

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject([{ ref: 'release/1/0', state: 'Success' }]);
  });

  it('of an unknown commit is 404', async () => {
    expect((await vcs.call('get', listing(hashOf('nowhere')), harness.pair)).status).toBe(404);
  });
});
