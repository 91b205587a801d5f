import { generateKeyPairSync } from 'node:crypto';
import { json, startStrictApi, type SeenRequest, type StrictApi } from '../test/strict-api';
import { isApiError, RunRemover } from './index';

const PEM = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .publicKey.export({ type: 'pkcs1', format: 'pem' })
  .toString();
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const TOKEN = `${base64url({ alg: 'PS512' })}.${base64url({})}.the-secret-part`;
const BRANCH = 'feature/x';
const OF = { project: 'PROJ', workflow: 'wf1', branch: BRANCH };

interface Run {
  num: number;
  tags: { tag: string; value: string }[] | null;
}
const run = (num: number, branch = BRANCH): Run => ({
  num,
  tags: [
    { tag: 'git.author', value: 'jdoe' },
    { tag: 'git.branch', value: branch },
  ],
});

let api: StrictApi;
let remover: RunRemover;
let runs: Run[];
/** Of runs that are only marked: the API lists them until it has removed them. */
let deleted: number[];
let signIns: number;
let jwt: string;
/** That of the configuration, and the one that the API takes. */
let token: string;
let taken: string;

beforeEach(async () => {
  api = await startStrictApi();
  runs = [];
  deleted = [];
  signIns = 0;
  jwt = '';
  token = taken = TOKEN;
  api.override = (_req, res) => {
    const seen = api.requests.at(-1);
    if (seen) json(res, ...answer(seen, (name, value) => res.setHeader(name, value)));
  };
  remover = new RunRemover({
    ...{ url: api.url, insecure: false, requestTimeoutSeconds: 60 },
    token: () => token,
  });
});
afterEach(async () => {
  remover.close();
  await api.close();
});

const refusal = (id: number, message: string, from?: string) => ({
  ...{ id, message, request_id: 'r' },
  ...(from !== undefined && { from }),
});

function answer(
  { method, url, headers, body }: SeenRequest,
  setHeader: (name: string, value: string) => void,
): [status: number, body: unknown] {
  if (url === '/auth/consumer/builtin/signin') {
    if ((body as { token: string }).token !== taken)
      return [403, refusal(11, 'forbidden', 'invalid signin token')];
    signIns++;
    jwt = `${base64url({ alg: 'RS512' })}.${base64url({ iat: 1, exp: 3_601 })}.s${signIns}`;
    setHeader('X-Api-Pub-Signing-Key', Buffer.from(PEM).toString('base64'));
    return [200, { token: jwt }];
  }
  if (headers.authorization !== `Bearer ${jwt}`) return [401, refusal(10, 'not authenticated')];
  const { pathname, searchParams } = new URL(url, api.url);
  if (method === 'GET' && pathname === '/project/PROJ/workflows/wf1/runs') {
    const offset = Number(searchParams.get('offset'));
    const page = runs.slice(offset, offset + Number(searchParams.get('limit')));
    // Of runs that match in part, too: the search of the API is not to be relied on.
    return [offset === 0 ? 206 : 200, page.length > 0 ? page : null];
  }
  const [, number] = /^\/project\/PROJ\/workflows\/wf1\/runs\/(\d+)$/.exec(pathname) ?? [];
  if (method !== 'DELETE' || number === undefined) return [404, refusal(92, 'Workflow not found')];
  if (!runs.some(({ num }) => num === Number(number))) return [404, refusal(1, 'not found')];
  deleted.push(Number(number));
  return [202, null];
}

describe('RunRemover', () => {
  it('removes the runs of exactly this branch, each once, over all pages', async () => {
    const ours = Array.from({ length: 230 }, (_, index) => run(index + 1));
    runs = [...ours, run(900, 'feature/x2'), run(901, `${BRANCH},main`), { num: 902, tags: null }];
    expect(await remover.removeRunsOfBranch(OF)).toEqual({ removed: 230, isAll: true });
    expect(deleted).toEqual(ours.map(({ num }) => num));
    expect(signIns).toBe(1);
    const list = api.requests.find(({ method }) => method === 'GET');
    expect(list?.url).toContain('git.branch=feature%2Fx&');
    await remover.removeRunsOfBranch(OF);
    expect(signIns).toBe(1);
  });

  it('is done where there is none, or somebody has removed one meanwhile', async () => {
    expect(await remover.removeRunsOfBranch(OF)).toEqual({ removed: 0, isAll: true });
    runs = [run(1), run(2)];
    const whole = api.override;
    api.override = (req, res) => {
      whole?.(req, res);
      if (req.method === 'GET') runs = [run(2)];
    };
    await remover.removeRunsOfBranch(OF);
    expect(deleted).toEqual([2]);
  });

  it('signs in with the token that it has by then', async () => {
    runs = [run(1), run(2)];
    await remover.removeRunsOfBranch(OF);
    taken = TOKEN.replace(/.$/, 'x');
    jwt = 'of nobody';
    runs = [run(3)];
    await expect(remover.removeRunsOfBranch(OF)).rejects.toThrow('refuses the token');

    token = taken;
    expect(await remover.removeRunsOfBranch(OF)).toEqual({ removed: 1, isAll: true });
  });

  it('removes at most 5,000 at once, and says that more are left', async () => {
    runs = Array.from({ length: 5_100 }, (_, index) => run(index + 1, index < 3 ? BRANCH : 'y'));
    expect(await remover.removeRunsOfBranch(OF)).toEqual({ removed: 3, isAll: false });
  });

  it('ends a turn in time, and goes on with the next run while the API lists those before', async () => {
    remover.close();
    remover = new RunRemover({
      ...{ url: api.url, insecure: false, requestTimeoutSeconds: 60 },
      ...{ token: () => token, turnMs: 0 },
    });
    runs = [run(1), run(2), run(3)];
    for (const isAll of [false, false, true])
      expect(await remover.removeRunsOfBranch(OF)).toEqual({ removed: 1, isAll });
    expect(deleted).toEqual([1, 2, 3]);
  });

  it('finds a run that moved to a page before while the list was read', async () => {
    const all = Array.from({ length: 150 }, (_, index) => run(index + 1));
    runs = all;
    const whole = api.override;
    api.override = (req, res) => {
      whole?.(req, res);
      // The API removes what it has marked earlier.
      if (req.method === 'GET') runs = runs.slice(runs === all ? 1 : 0);
    };
    await remover.removeRunsOfBranch(OF);
    expect(deleted.toSorted((one, other) => one - other)).toEqual(
      all.slice(1).map(({ num }) => num),
    );
  });

  it('signs in again after a 401', async () => {
    runs = [run(1)];
    await remover.removeRunsOfBranch(OF);
    jwt = 'of another session';
    await remover.removeRunsOfBranch(OF);
    expect(signIns).toBe(2);
  });

  it.each([
    ['a token that the API does not take', 403],
    ['a consumer that may not', 403],
  ])('is refused, not unauthorized, with %s', async (what) => {
    runs = [run(1)];
    const whole = api.override;
    api.override = (req, res) => {
      if (what.startsWith('a token') && req.url?.endsWith('signin'))
        return json(res, 403, refusal(11, 'forbidden', `invalid signin token ${TOKEN}`));
      if (req.method === 'DELETE') return json(res, 403, refusal(11, 'forbidden'));
      return whole?.(req, res);
    };
    const error: unknown = await remover.removeRunsOfBranch(OF).catch((reason: unknown) => reason);
    expect(isApiError(error) && [error.kind, error.status]).toEqual(['refused', 403]);
    expect(String(error)).not.toContain('the-secret-part');
  });

  it('is refused with the scopes to give, where the consumer lacks them', async () => {
    const whole = api.override;
    api.override = (req, res) =>
      req.url?.endsWith('signin') ? whole?.(req, res) : json(res, 401, refusal(10, 'no'));
    const error: unknown = await remover.removeRunsOfBranch(OF).catch((reason: unknown) => reason);
    expect(isApiError(error) && [error.kind, error.status]).toEqual(['refused', 403]);
    expect(String(error)).toContain('hooks.branchDeletion.token the scopes Project and Run');
  });

  it('is unavailable where the API is away, and may have removed the run', async () => {
    runs = [run(1)];
    const whole = api.override;
    api.override = (req, res) =>
      req.method === 'DELETE' ? void req.socket.destroy() : whole?.(req, res);
    const error: unknown = await remover.removeRunsOfBranch(OF).catch((reason: unknown) => reason);
    expect(isApiError(error) && [error.kind, error.mayBeDone]).toEqual(['unavailable', true]);
  });
});
