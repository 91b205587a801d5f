import { CDS_VERSIONS, type CdsVersion } from '../index';
import { callApi } from '../services.fixture';
import { callAs, signIn } from '../sessions/session-client.fixture';
import { HASH, openGenerationStage, REPO, type GenerationStage } from './generation.fixture';

let stage: GenerationStage;
afterEach(() => stage.close());
const start = async (cds: CdsVersion): Promise<void> => {
  stage = await openGenerationStage(cds);
};

const BEFORE = 'b'.repeat(40);
const PUSH = { 'git.branch': 'feat/x y', 'git.hash': HASH, 'git.hash.before': BEFORE };
const decoded = (header: unknown) => Buffer.from(String(header), 'base64').toString();

describe.each(CDS_VERSIONS)('CDS %s', (cds) => {
  beforeEach(() => start(cds));

  it('says its version, refuses with its error body, knows the routes of its time', async () => {
    const { api, callAsHooks } = stage;
    expect((await callApi(api, 'GET', '/mon/version')).json['version']).toBe(`${cds}.0`);
    const { json } = await callAsHooks('GET', '/project/NOPE/workflows/w/runs/1');
    expect(json).toMatchObject({ id: 30, message: 'project does not exist' });
    expect(Object.keys(json).toSorted()).toEqual(
      cds === '0.41' ? ['data', 'id', 'message', 'uuid'] : ['id', 'message', 'request_id'],
    );
    const statuses: number[] = [];
    for (const path of ['/config/vcs', '/config/vcsgerrit', '/workflow/hook/executions'])
      statuses.push((await callAsHooks('GET', path)).status);
    expect(statuses).toEqual(
      {
        '0.41': [200, 404, 404],
        '0.50': [200, 404, 200],
        '0.51': [200, 200, 200],
        '0.57': [404, 200, 200],
      }[cds],
    );
  });

  it('shows the credential of its time to vcs', async () => {
    await stage.createWorkflow();
    const headers: Record<string, unknown> = stage.vcs.seen.at(-1)?.headers ?? {};
    const shown = Object.keys(headers).filter((name) => name.startsWith('x-cds-'));
    if (cds === '0.41' || cds === '0.50') {
      expect(shown.toSorted()).toEqual([
        'x-cds-access-token',
        'x-cds-access-token-created',
        'x-cds-access-token-secret',
      ]);
    } else {
      expect(Object.fromEntries(shown.map((name) => [name, decoded(headers[name])]))).toEqual({
        'x-cds-vcs-type': 'bitbucketcloud',
        'x-cds-vcs-url': 'https://bitbucket.org',
        'x-cds-vcs-url-api': '',
        'x-cds-vcs-username': 'jane@acme.example',
        'x-cds-vcs-token': 't',
        'x-cds-vcs-ssh-username': '',
        'x-cds-vcs-ssh-port': '0',
        'x-cds-vcs-ssh-private-key': '',
      });
    }
  });

  it('repeats what was answered 409 or more five times at once from 0.47 on, and nothing below', async () => {
    await stage.createWorkflow();
    const ask = async (status: number) => {
      stage.vcs.seen.length = 0;
      stage.vcs.answers[`GET ${stage.repo}/tags`] = () => ({ status, body: { id: 1 } });
      await expect(
        stage.api.callVcs('P', stage.api.vcsServer, 'GET', `/repos/${REPO}/tags`),
      ).rejects.toThrow();
      return stage.vcs.seen.length;
    };
    const repeats = cds === '0.41' ? 1 : 5;
    expect([await ask(404), await ask(409), await ask(429), await ask(503)]).toEqual([
      ...[1, repeats, repeats, repeats],
    ]);
  });
});

describe('a build', () => {
  const statuses = () =>
    stage.vcs.seen
      .filter(({ method, url }) => method === 'POST' && url.endsWith('/status'))
      .map(({ body }) => body as Record<string, Record<string, unknown>>);

  it.each([
    ['0.50', ['GET /vcs/bitbucketcloud']],
    ['0.51', []],
    ['0.57', []],
  ] as const)('of %s compares what is listed, and says what is missing', async (cds, look) => {
    await start(cds);
    await stage.createWorkflow();
    stage.vcs.seen.length = 0;
    await stage.run(PUSH);
    const { repo } = stage;
    const compared = [
      `GET ${repo}/commits/${HASH}/statuses`,
      ...look,
      `POST /vcs/${stage.api.vcsServer}/status`,
    ];
    expect(stage.asked()).toEqual([
      `GET ${repo}`,
      `GET ${repo}/commits/${HASH}`,
      `GET ${repo}/branches/commits?branch=feat%2Fx+y&since=${BEFORE}&until=${HASH}`,
      ...compared,
      ...compared,
      ...look,
      `GET ${repo}/pullrequests`,
    ]);
    expect(stage.api.runs('P', 'w')).toMatchObject([{ status: 'Success', problems: [] }]);
  });

  it('is an event with the keys of JSON up to 0.53', async () => {
    await start('0.51');
    await stage.createWorkflow();
    await stage.run(PUSH);
    expect(statuses().at(-1)).toMatchObject({
      type_event: 'sdk.EventRunWorkflowNode',
      project_key: 'P',
      payload: {
        ...{ num: 1, status: 'Success', node_name: 'build', hash: HASH, branch_name: 'feat/x y' },
        ...{ repository_full_name: REPO, repository_manager_name: 'bitbucketcloud' },
      },
    });
  });

  it('is a status of its own from 0.54 on, and none or without a URL where the project says so', async () => {
    await start('0.57');
    await stage.createWorkflow();
    await stage.run(PUSH);
    const status = {
      title: 'P-w-build',
      description: 'build: Success',
      url_cds: 'http://ui/project/P/workflow/w/run/1',
      context: 'P-w-build',
      status: 'Success',
      repository_fullname: REPO,
      git_hash: HASH,
    };
    expect(statuses().at(-1)).toEqual(status);
    const { api } = stage;
    const options = (asked: object) =>
      api.importVcsProject({ project: 'P', username: 'u', token: 't', options: asked });
    await options({ disableStatusDetails: true });
    await stage.run(PUSH);
    expect(statuses().at(-1)).toMatchObject({ url_cds: '' });
    stage.vcs.seen.length = 0;
    await options({ disableStatus: true });
    await stage.run(PUSH);
    expect(statuses()).toEqual([]);
  });

  it.each([
    ['0.50', 'CDS/P-w-build'],
    ['0.57', 'P-w-build'],
  ] as const)('of %s is not told twice of what is listed as %s', async (cds, description) => {
    await start(cds);
    await stage.createWorkflow();
    stage.vcs.answers[`GET ${stage.repo}/commits/${HASH}/statuses`] = () => ({
      body: [{ ref: HASH, created_at: '', state: 'Success', description }],
    });
    await stage.run(PUSH);
    expect(statuses()).toHaveLength(1);
  });

  it('is compared by 36 characters for a VCS project', async () => {
    await start('0.57');
    const name = 'a-workflow-with-a-long-name-of-its-own';
    await stage.createWorkflow();
    await stage.api.workflows.createRepositoryWorkflow({ project: 'P', name, repo: REPO });
    stage.vcs.answers[`GET ${stage.repo}/commits/${HASH}/statuses`] = () => ({
      body: [
        { ref: HASH, created_at: '', state: 'Success', description: `P-${name}`.slice(0, 36) },
      ],
    });
    stage.vcs.seen.length = 0;
    await stage.callAsHooks('POST', `/project/P/workflows/${name}/runs`, {
      hook: { payload: PUSH, uuid: 'u' },
    });
    await stage.run(PUSH);
    expect(statuses().filter(({ title }) => String(title).includes(name))).toHaveLength(1);
  });

  it.each([
    ['0.50', HASH, 1],
    ['0.50', HASH.slice(0, 12), 0],
    ['0.57', HASH.slice(0, 12), 1],
    ['0.57', HASH.slice(0, 11), 0],
  ] as const)(
    'of %s that failed is told to the pull request of %s',
    async (cds, hash, comments) => {
      await start(cds);
      await stage.createWorkflow();
      stage.api.setBuild({ result: 'Fail' });
      stage.vcs.answers[`GET ${stage.repo}/pullrequests`] = () => ({
        body: [
          {
            ...{ id: 7, merged: false, closed: false },
            head: { branch: { display_id: 'feat/x y', latest_commit: hash } },
          },
        ],
      });
      await stage.run(PUSH);
      const sent = stage.vcs.seen.filter(
        ({ url }) => url === `${stage.repo}/pullrequests/comments`,
      );
      expect(sent.map(({ body }) => body)).toEqual(
        Array.from({ length: comments }, () => ({
          ...{ id: 7, change_id: '', revision: HASH, message: '[w #1] failed' },
        })),
      );
    },
  );
});

describe('importing a VCS project', () => {
  it('asks for its repositories from 0.52 on, and is undone by their error', async () => {
    await start('0.57');
    stage.vcs.answers['GET /vcs/bbc/repos'] = () => ({ status: 401, body: { id: 44 } });
    const asked = { project: 'P', username: 'u', token: 't' };
    await expect(stage.api.importVcsProject(asked)).rejects.toThrow('unlink and relink');
    await expect(stage.api.repositories('P')).rejects.toThrow('not linked');
    await expect(stage.api.linkProject('P')).rejects.toThrow('import a VCS project');
  });

  it('is unknown before 0.51', async () => {
    await start('0.50');
    const asked = { project: 'P', username: 'u', token: 't' };
    await expect(stage.api.importVcsProject(asked)).rejects.toThrow('link the project');
  });
});

describe('removing runs', () => {
  const RUNS = '/project/P/workflows/w/runs';
  const runsOf = (...branches: string[]) =>
    branches.reduce(
      (before, branch) => before.then(() => stage.run({ ...PUSH, 'git.branch': branch })),
      Promise.resolve(),
    );
  /** What a consumer of its own may do. */
  async function asConsumer(rights: { isAdmin?: boolean; isOfGroup?: boolean }) {
    const scopes = ['Run'] as const;
    const { token } = stage.api.sessions.createConsumer({ name: 'me', scopes, ...rights });
    const { json } = await signIn(stage.api, { token });
    return (method: string, path: string) => callAs(stage.api, json['token'], method, path);
  }

  it.each(['0.50', '0.51', '0.57'] as const)('is nothing for a service of %s', async (cds) => {
    await start(cds);
    await stage.createWorkflow();
    await runsOf('dev');
    for (const path of [`${RUNS}/branch/dev`, `${RUNS}/1`])
      expect(await stage.callAsHooks('DELETE', path)).toMatchObject({
        status: 403,
        json: { id: 11 },
      });
    expect(stage.api.runs('P', 'w')).toHaveLength(1);
  });

  it('is done run by run with a consumer that may; by branch it finds none with a slash', async () => {
    await start('0.57');
    await stage.createWorkflow();
    await runsOf('feat/x', 'dev', 'feat/x');
    const call = await asConsumer({ isAdmin: false, isOfGroup: true });
    expect(await call('DELETE', `${RUNS}/branch/feat%2Fx`)).toMatchObject({
      status: 200,
      text: 'null',
    });
    expect(stage.api.runs('P', 'w')).toHaveLength(3);
    expect(await call('DELETE', `${RUNS}/1`)).toMatchObject({ status: 202, text: 'null' });
    expect((await call('DELETE', `${RUNS}/1`)).status).toBe(202);
    expect((await call('DELETE', `${RUNS}/9`)).status).toBe(404);
    stage.api.purge();
    expect((await call('DELETE', `${RUNS}/1`)).status).toBe(404);
    expect(stage.api.runs('P', 'w').map(({ number }) => number)).toEqual([2, 3]);
    expect(stage.api.removals()).toMatchObject([
      { by: 'branch', runs: 0 },
      { by: 'run', branch: 'feat/x', runs: 1 },
    ]);
    const other = await asConsumer({ isAdmin: false });
    for (const [method, path] of [
      ['DELETE', `${RUNS}/2`],
      ['GET', RUNS],
    ] as const)
      expect((await other(method, path)).status).toBe(403);
  });

  it('begins with a list: by tag, in pages, with removed ones until the purge where one tag is asked for', async () => {
    await start('0.57');
    await stage.createWorkflow();
    await runsOf('feat/x', 'dev', 'feat/x');
    const call = await asConsumer({});
    const list = async (query: string) => {
      const { status, text, headers } = await call('GET', `${RUNS}?${query}`);
      const runs = JSON.parse(text) as { num: number }[];
      return [status, runs.map(({ num }) => num), headers['content-range']];
    };
    expect(await list('')).toEqual([200, [3, 2, 1], '0-10/3']);
    expect(await list('offset=1&limit=1')).toEqual([206, [2], '1-1/3']);
    expect(await list('git.branch=feat%2Fx')).toEqual([206, [3, 1], '0-10/3']);
    await call('DELETE', `${RUNS}/3`);
    expect(await list('git.branch=feat%2Fx')).toEqual([200, [3, 1], '0-10/2']);
    expect(await list('git.branch=feat%2Fx&triggered_by=cds.hook')).toEqual([206, [1], '0-10/2']);
    stage.api.purge();
    expect(await list('git.branch=feat%2Fx')).toEqual([206, [1], '0-10/2']);
    expect((await call('GET', `${RUNS}?limit=x`)).status).toBe(400);
  });

  it('is what the API does by its rule: of branches that vcs does not list', async () => {
    await start('0.57');
    await stage.createWorkflow({ keepsRunsOf: 'existing branches' });
    await runsOf('feat/x', 'dev');
    await stage.run({ 'git.tag': 'v1', 'git.hash': HASH });
    stage.vcs.answers[`GET ${stage.repo}/branches`] = () => ({ status: 404, body: { id: 38 } });
    await expect(stage.api.applyRetentionRule()).rejects.toThrow('answered 404');
    expect(stage.api.runs('P', 'w')).toHaveLength(3);
    stage.vcs.answers[`GET ${stage.repo}/branches`] = () => ({ body: [{ display_id: 'dev' }] });
    expect(await stage.api.applyRetentionRule()).toMatchObject([
      { by: 'rule', project: 'P', workflow: 'w', branch: 'feat/x', runs: 1 },
    ]);
    expect(stage.asked().at(-1)).toBe(`GET ${stage.repo}/branches?limit=0`);
    // That of the tag stays: it is of no branch.
    expect(stage.api.runs('P', 'w')).toMatchObject([{ number: 2 }, { number: 3 }]);
  });

  it('is no rule of 0.41', async () => {
    await start('0.41');
    await expect(stage.api.applyRetentionRule()).rejects.toThrow('has no retention rules');
  });
});
