import { waitFor } from '@cds/testing';
import {
  createWorkflow,
  PROJECT,
  type Replica,
  REPO,
  runsOf,
  startStack,
  type Stack,
} from './stack.fixture';

/** With a slash: the API's call for a whole branch finds none of these. */
const GONE = 'feat/gone';

describe.each(['0.50', '0.57'] as const)(
  'hooks with a token that may remove runs, and CDS %s',
  (cds) => {
    let stack: Stack;
    let hooks: Replica;
    let first: { id: string; token: string };
    const TOKEN = 'cleanup-token';
    const createConsumer = (name: string) =>
      stack.api.sessions.createConsumer({
        ...{ name, scopes: ['Run'], isAdmin: false, isOfGroup: true },
      });
    beforeAll(async () => {
      stack = await startStack({ api: { cds }, branchDeletionDelaySeconds: 2 });
      first = createConsumer('cleanups');
      const file = stack.writeFile(TOKEN, first.token);
      ({ hooks } = await stack.startLinked({ CDS_HOOKS_BRANCHDELETION_TOKEN_FILE: file }));
      // It is read again within 10 s, while the first tests run.
      stack.writeFile(TOKEN, createConsumer('cleanups2').token);
      await createWorkflow(stack, 'w');
    });
    afterAll(() => stack?.stop());

    const push = async (branch: string) =>
      (await stack.bitbucket.push({ repo: REPO, branch })).delivered;
    const deleteBranch = async (branch: string) =>
      (await stack.bitbucket.deleteBranch({ repo: REPO, branch })).delivered;
    const branches = () =>
      stack.api.runs(PROJECT, 'w').map(({ event }) => event.payload['git.branch']);

    it('removes those of a branch that is gone one by one, after sessions have expired, too', async () => {
      const { api } = stack;
      for (const branch of [GONE, 'feat/stays', GONE]) await push(branch);
      await runsOf(stack, 'w', 3);
      await deleteBranch(GONE);
      api.sessions.passTime(3_600);
      await waitFor(() => !branches().includes(GONE), { what: 'the removal' });
      expect(branches()).toEqual(['feat/stays']);
      expect(api.removals()).toMatchObject([
        { by: 'run', branch: GONE, runs: 1 },
        { by: 'run', branch: GONE, runs: 1 },
      ]);
      expect(api.violations()).toEqual([]);
    });

    it('leaves them where the branch is pushed again', async () => {
      await push('feat/again');
      await runsOf(stack, 'w', 2);
      await deleteBranch('feat/again');
      await push('feat/again');
      await runsOf(stack, 'w', 3);
      // This one is deleted after it, and gone when it is.
      await push('feat/last');
      await runsOf(stack, 'w', 4);
      await deleteBranch('feat/last');
      await waitFor(() => !branches().includes('feat/last'), { what: 'the removal' });
      expect(branches()).toEqual(['feat/stays', 'feat/again', 'feat/again']);
    });

    it('removes them with the token that its file has meanwhile', async () => {
      await waitFor(() => hooks.process.stdout().includes('secret taken from its changed file'), {
        what: 'the new token',
      });
      stack.api.sessions.deleteConsumer(first.id);
      await deleteBranch('feat/stays');
      await waitFor(() => !branches().includes('feat/stays'), { what: 'the removal' });
      expect(stack.api.violations()).toEqual([]);
    });
  },
);
