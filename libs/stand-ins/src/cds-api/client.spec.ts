import { waitFor } from '@cds/testing';
import { startBitbucket, type BitbucketStandIn } from '../bitbucket';
import { sendRequest } from '../http/send-request';
import { startCdsApi, type CdsApiStandIn } from './index';
import { callApi, registration, scriptedService, type ScriptedService } from './services.fixture';

const HASH = 'a'.repeat(40);
const REPO = '/vcs/bitbucketcloud/repos/acme/web-shop';

let api: CdsApiStandIn;
let bitbucket: BitbucketStandIn;
let vcs: ScriptedService;
let hooks: ScriptedService;
let hooksHash: string;

beforeEach(async () => {
  api = await startCdsApi({ buildDurationMs: 1 });
  bitbucket = await startBitbucket({ consumer: { callbackUrl: api.callbackUrl } });
  [vcs, hooks] = await Promise.all([scriptedService(), scriptedService()]);
  await callApi(api, 'POST', '/services/register', { body: registration('v', 'vcs', vcs.url) });
  hooksHash = String(
    (
      await callApi(api, 'POST', '/services/register', {
        body: registration('h', 'hooks', hooks.url),
      })
    ).json['hash'],
  );
  vcs.answers['GET /vcs/bitbucketcloud/authorize'] = () => ({
    body: {
      token: 's1',
      url: `${bitbucket.oauthUrl}/authorize?client_id=sandbox-client&response_type=code&state=s1`,
    },
  });
  vcs.answers['POST /vcs/bitbucketcloud/authorize'] = () => ({
    body: { token: 'access-1', secret: 'refresh-1' },
  });
  vcs.answers['GET /vcs/bitbucketcloud/webhooks'] = () => ({
    body: { webhooks_supported: true, webhooks_disabled: false, webhooks_icon: 'Bitbucket' },
  });
  vcs.answers[`POST ${REPO}/hooks`] = ({ body }) => ({ body: { ...(body as object), id: '{w1}' } });
  vcs.answers[`GET ${REPO}/commits/${HASH}/statuses`] = () => ({ body: [] });
  vcs.answers[`GET ${REPO}/pullrequests`] = () => ({ body: [] });
  hooks.answers['POST /task/bulk'] = ({ body }) => {
    const map = structuredClone(body) as Record<string, { config: Record<string, unknown> }>;
    for (const [uuid, hook] of Object.entries(map))
      hook.config['webHookURL'] = { value: `http://hooks.example/webhook/${uuid}` };
    return { body: map };
  };
});
afterEach(() => Promise.all([api.close(), bitbucket.close(), vcs.close(), hooks.close()]));

const asked = (service: ScriptedService) =>
  service.seen.map(({ method, url }) => `${method} ${url}`);

async function linkedWorkflow(): Promise<string> {
  await api.linkProject('P');
  const { hook } = await api.workflows.createRepositoryWorkflow({
    project: 'P',
    name: 'w',
    repo: 'acme/web-shop',
  });
  vcs.seen.length = 0;
  hooks.seen.length = 0;
  return hook.uuid;
}

async function runAndWait(payload: Record<string, string>): Promise<void> {
  await callApi(api, 'POST', '/project/P/workflows/w/runs', {
    hash: hooksHash,
    body: { hook: { payload, uuid: 'u' } },
  });
  await waitFor(() => !['Pending', 'Building'].includes(api.runs('P', 'w')[0]?.status ?? ''), {
    what: 'the build to end',
  });
}

describe('linking a project', () => {
  it('goes to the page, over the callback, to the tokens', async () => {
    await api.linkProject('P');

    const [authorize, exchange] = vcs.seen;
    expect(authorize).toMatchObject({ method: 'GET', url: '/vcs/bitbucketcloud/authorize' });
    expect(authorize?.headers).toMatchObject({
      'user-agent': 'Go-http-client/1.1',
      'x-requested-with': 'X-CDS-SDK',
      x_auth_header: expect.any(String) as string,
    });
    expect(exchange?.body).toEqual({
      token: 's1',
      secret: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(api.vcsLink('P')).toMatchObject({ accessToken: 'access-1', refreshToken: 'refresh-1' });
  });

  it('leaves the rest to a person where the page asks one', async () => {
    bitbucket.setConsent('ask');
    const { state } = await api.beginLink('P');
    const page = await sendRequest({
      method: 'POST',
      url: `${bitbucket.oauthUrl}/authorize`,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `state=${state}&answer=allow`,
      timeoutMs: 5_000,
    });
    const callback = await sendRequest({
      method: 'GET',
      url: String(page.headers['location']),
      timeoutMs: 5_000,
    });
    expect(callback.text).toContain('P is linked');
  });

  it('agrees in place of the person where the page asks one, and says when access was not granted', async () => {
    bitbucket.setConsent('ask');
    await api.linkProject('P');
    expect(api.vcsLink('P')).toMatchObject({ accessToken: 'access-1' });

    bitbucket.setConsent('deny');
    await expect(api.linkProject('Q')).rejects.toThrow('Q was not linked: access was not granted');
  });

  it('takes a state once, and no other', async () => {
    await api.linkProject('P');
    const callback = `${api.callbackUrl}?code=c&state=s1`;
    expect((await sendRequest({ method: 'GET', url: callback, timeoutMs: 5_000 })).status).toBe(
      400,
    );
  });
});

describe('tokens', () => {
  it('go out in base64, and only a new access token comes back', async () => {
    await linkedWorkflow();
    vcs.answers['GET /vcs/bitbucketcloud/repos'] = () => ({
      body: [],
      headers: { 'X-CDS-ACCESS-TOKEN': 'access-2' },
    });
    await api.repositories('P');
    await api.repositories('P');

    const sent = vcs.seen.map(({ headers }) =>
      ['x-cds-access-token', 'x-cds-access-token-secret'].map((name) =>
        Buffer.from(String(headers[name]), 'base64').toString(),
      ),
    );
    expect(sent).toEqual([
      ['access-1', 'refresh-1'],
      ['access-2', 'refresh-1'],
    ]);
    expect(api.vcsLink('P').created).toBeGreaterThan(1_700_000_000);
  });

  it('are not read from a failure, and a 401 asks to link again', async () => {
    await linkedWorkflow();
    vcs.answers['GET /vcs/bitbucketcloud/repos'] = () => ({
      status: 401,
      body: {},
      headers: { 'X-CDS-ACCESS-TOKEN': 'access-2' },
    });
    await expect(api.repositories('P')).rejects.toThrow('unlink and relink');
    expect(api.vcsLink('P').accessToken).toBe('access-1');
  });
});

describe('replicas', () => {
  it('are asked one after the other, after any error status', async () => {
    await linkedWorkflow();
    const second = await scriptedService();
    await callApi(api, 'POST', '/services/register', {
      body: registration('v2', 'vcs', second.url),
    });
    api.restart();
    vcs.answers['GET /vcs/bitbucketcloud/repos'] = () => ({ status: 404, body: {} });
    second.answers['GET /vcs/bitbucketcloud/repos'] = () => ({ body: [{ fullname: 'a/b' }] });

    expect(await api.repositories('P')).toEqual([{ fullname: 'a/b' }]);
    await vcs.close();
    expect(await api.repositories('P')).toEqual([{ fullname: 'a/b' }]);
    await second.close();
    await expect(api.repositories('P')).rejects.toThrow('v2 did not answer');
  });
});

describe('workflows', () => {
  it('are created as the API does it: task, settings, webhook', async () => {
    await api.linkProject('P');
    vcs.seen.length = 0;
    const { hook } = await api.workflows.createRepositoryWorkflow({
      project: 'P',
      name: 'w',
      repo: 'acme/web-shop',
    });

    expect(asked(hooks)).toEqual(['POST /task/bulk']);
    expect(hooks.seen[0]?.body).toMatchObject({
      [hook.uuid]: {
        id: 0,
        hook_model_name: 'RepositoryWebHook',
        config: {
          method: {
            value: 'POST',
            configurable: false,
            type: 'string',
            multiple_choice_list: null,
          },
          repoFullName: { value: 'acme/web-shop' },
          vcsServer: { value: 'bitbucketcloud' },
          project: { value: 'P' },
          workflow: { value: 'w' },
          workflow_id: { value: '1' },
        },
      },
    });
    expect(asked(vcs)).toEqual(['GET /vcs/bitbucketcloud/webhooks', `POST ${REPO}/hooks`]);
    expect(vcs.seen[1]?.body).toEqual({
      id: '',
      name: '',
      events: null,
      method: 'POST',
      url: `http://hooks.example/webhook/${hook.uuid}`,
      content_type: '',
      body: '',
      disable: false,
      insecure_ssl: false,
      workflow: true,
    });
    const listed = JSON.parse(
      (await callApi(api, 'GET', '/workflow/hook', { hash: hooksHash })).text,
    );
    expect(listed).toMatchObject([
      {
        id: 1,
        uuid: hook.uuid,
        config: { webHookID: { value: '{w1}' }, hookIcon: { value: 'Bitbucket' } },
      },
    ]);
  });

  it('are deleted at Bitbucket first, by URL and bare id', async () => {
    const uuid = await linkedWorkflow();
    await api.workflows.deleteWorkflow({ project: 'P', name: 'w' });

    const url = encodeURIComponent(`http://hooks.example/webhook/${uuid}`);
    expect(asked(vcs)).toEqual([`DELETE ${REPO}/hooks?url=${url}&id={w1}`]);
    expect(asked(hooks)).toEqual(['DELETE /task/bulk']);
    expect(hooks.seen[0]?.body).toHaveProperty(`${uuid}.config.webHookID.value`, '{w1}');
  });

  it('keep their hook when they are renamed', async () => {
    const uuid = await linkedWorkflow();
    await api.workflows.renameWorkflow({ project: 'P', name: 'w', newName: 'w2' });
    expect(hooks.seen[0]?.body).toHaveProperty(`${uuid}.config.workflow.value`, 'w2');
    expect(api.runs('P', 'w2')).toEqual([]);
  });
});

describe('building a run', () => {
  const payload = { 'git.branch': 'feat/x', 'git.hash': HASH };

  it('asks and tells in the order of the recording', async () => {
    await linkedWorkflow();
    await runAndWait(payload);

    expect(api.runs('P', 'w')).toMatchObject([{ status: 'Success', problems: [] }]);
    expect(asked(vcs)).toEqual([
      `GET ${REPO}/branches/?branch=feat%2Fx`,
      `GET ${REPO}/commits/${HASH}`,
      `GET ${REPO}`,
      'POST /vcs/bitbucketcloud/status',
      'POST /vcs/bitbucketcloud/status',
      `GET ${REPO}/commits/${HASH}/statuses`,
      'GET /vcs/bitbucketcloud',
      'POST /vcs/bitbucketcloud/status',
      `GET ${REPO}/pullrequests`,
      'POST /vcs/bitbucketcloud/status',
    ]);
    const events = vcs.seen.filter(({ url }) => url.endsWith('/status')).map(({ body }) => body);
    expect(events[0]).toMatchObject({
      type_event: 'sdk.EventRunWorkflowNode',
      project_key: 'P',
      workflow_name: 'w',
      status: 'Building',
      payload: {
        BranchName: 'feat/x',
        Hash: HASH,
        NodeName: 'build',
        Number: 1,
        SubNumber: 0,
        RepositoryFullName: 'acme/web-shop',
        RepositoryManagerName: 'bitbucketcloud',
        Status: 'Building',
        Tag: '',
      },
    });
    expect(events[2]).toMatchObject({ hostname: '', payload: { Status: 'Success', NodeType: '' } });
    expect(events[2]).not.toHaveProperty('status');
  });

  it('does not make up for a status that is listed under its name', async () => {
    await linkedWorkflow();
    vcs.answers[`GET ${REPO}/commits/${HASH}/statuses`] = () => ({
      body: [{ ref: HASH, created_at: '', state: 'Success', description: 'CDS/P-w-build' }],
    });
    await runAndWait(payload);
    expect(asked(vcs).filter((line) => line.endsWith('/status'))).toHaveLength(3);
  });

  it('comments on the open pull requests whose head is this very commit', async () => {
    await linkedWorkflow();
    api.setBuild({ result: 'Fail' });
    const head = (latest_commit: string) => ({ branch: { latest_commit } });
    vcs.answers[`GET ${REPO}/pullrequests`] = () => ({
      body: [
        { id: 1, head: head(HASH), merged: false, closed: false },
        { id: 2, head: head(HASH.slice(0, 12)), merged: false, closed: false },
        { id: 3, head: head(HASH), merged: false, closed: true },
      ],
    });
    await runAndWait(payload);
    const comments = vcs.seen.filter(({ url }) => url.includes('/comments'));
    expect(comments).toMatchObject([
      { url: `${REPO}/pullrequests/1/comments`, body: '[w #1] failed' },
    ]);
  });

  it('asks for a tag’s statuses by its bare name; a build that has ended does not fail by what vcs says', async () => {
    await linkedWorkflow();
    vcs.answers[`GET ${REPO}/commits/v/1/statuses`] = () => ({ status: 500, body: { id: 1 } });
    await runAndWait({ 'git.tag': 'v/1', 'git.hash': HASH });
    expect(asked(vcs)).not.toContain(`GET ${REPO}/branches/?branch=`);
    expect(api.runs('P', 'w')[0]).toMatchObject({
      status: 'Success',
      problems: [expect.stringContaining('v answered 500 to GET') as string],
    });
  });

  it('fails a run that was accepted when vcs refuses the look-ups before it', async () => {
    await linkedWorkflow();
    vcs.answers[`GET ${REPO}/commits/${HASH}`] = () => ({ status: 401, body: { id: 10 } });
    await runAndWait(payload);
    expect(api.runs('P', 'w')).toMatchObject([
      { status: 'Fail', problems: [expect.stringContaining('v answered 401 to GET') as string] },
    ]);
    expect(asked(vcs)).not.toContain('POST /vcs/bitbucketcloud/status');
  });

  it('tries an event three times, then drops it, and the run goes on', async () => {
    await linkedWorkflow();
    vcs.answers['POST /vcs/bitbucketcloud/status'] = () => ({ status: 500, body: { id: 1 } });
    await runAndWait(payload);
    expect(asked(vcs).filter((line) => line.endsWith('/status'))).toHaveLength(12);
    expect(api.runs('P', 'w')).toMatchObject([{ status: 'Success' }]);
    const { json } = await callApi(api, 'GET', '/project/P/workflows/w/runs/1', {
      hash: hooksHash,
    });
    expect(json).toMatchObject({
      status: 'Success',
      nodes: {
        '2': [{ workflow_node_name: 'build', num: 1, subnumber: 0, status: 'Success' }],
      },
    });
  });
});

describe('the clients of vcs', () => {
  const hashes = () => vcs.seen.map(({ headers }) => headers['x_auth_header']);
  const register = async (name = 'v') => {
    const { json } = await callApi(api, 'POST', '/services/register', {
      body: registration(name, 'vcs', vcs.url),
    });
    return Buffer.from(String(json['hash'])).toString('base64');
  };

  it('keep the hash of the moment when they were made until the API is restarted', async () => {
    const first = await register();
    await linkedWorkflow();
    api.forgetServices();
    const second = await register();
    expect(second).not.toBe(first);
    await api.repositories('P');
    expect(hashes()).toEqual([first]);
    api.restart();
    await api.repositories('P');
    expect(hashes()).toEqual([first, second]);
  });

  it('keep it also when the service was silent for so long that it has another one', async () => {
    const brief = await startCdsApi({ forgottenAfterMs: 1 });
    const hashNow = async () =>
      (
        await callApi(brief, 'POST', '/services/register', {
          body: registration('v', 'vcs', vcs.url),
        })
      ).json['hash'];
    const before = await hashNow();
    await waitFor(() => brief.services().length === 0);
    expect(await hashNow()).not.toBe(before);
    await brief.close();
  });

  it('do not call a service that joined later', async () => {
    await linkedWorkflow();
    const late = await register('late');
    vcs.answers['GET /vcs/bitbucketcloud/repos'] = () => ({ status: 500, body: { id: 1 } });
    await expect(api.repositories('P')).rejects.toThrow('v answered 500');
    expect(hashes()).not.toContain(late);
    api.restart();
    await expect(api.repositories('P')).rejects.toThrow('late answered 500');
  });
});

describe('the control surface', () => {
  it('does over HTTP what the methods do', async () => {
    const control = async (action: string, body: unknown) =>
      sendRequest({
        method: 'POST',
        url: `${api.url}/_control/${action}`,
        body: JSON.stringify(body),
        timeoutMs: 5_000,
      });
    expect((await control('link', { project: 'P' })).status).toBe(200);
    await control('createWorkflow', { project: 'P', name: 'w', repo: 'acme/web-shop' });
    const state = (await control('state', {})).text;
    expect(state).toContain('"workflows":[{');
    expect(state).not.toContain('refresh-1');
    expect((await control('createWorkflow', { project: 'P', name: 'w', repo: 'x' })).status).toBe(
      400,
    );
  });
});
