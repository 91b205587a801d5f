import { waitFor } from '@cds/testing';
import { callVcs, REPO, startStack, type Stack } from './stack.fixture';

let stack: Stack;
beforeAll(async () => {
  // The next page is named by the address of the real Bitbucket, which is reached through `apiUrl`
  // alone.
  stack = await startStack({
    bitbucket: { nextOrigin: 'https://api.bitbucket.org', tellsSize: true },
  });
});
afterAll(() => stack?.stop());

const name = (number: number) => `b${String(number).padStart(4, '0')}`;

async function branches(): Promise<string[]> {
  const list = (await callVcs(stack, 'GET', `/repos/${REPO}/branches`)) as { display_id: string }[];
  return list.map(({ display_id: id }) => id);
}

it('lists of several pages are whole, and hold nothing twice, whatever is pushed meanwhile', async () => {
  await stack.start('vcs');
  await stack.registered(1);
  await stack.connect();
  for (let number = 0; number < 220; number += 1)
    await stack.bitbucket.push({ repo: REPO, branch: name(number), commits: 0 });

  // Dates of commits are of whole seconds.
  const second = () => Math.floor(Date.now() / 1_000);
  const last = second();
  await waitFor(() => second() > last, { what: 'the next second' });
  const push = (branch: string) => stack.bitbucket.push({ repo: REPO, branch });
  const remove = (branch: string) => stack.bitbucket.deleteBranch({ repo: REPO, branch });
  // What is on the last page is pushed to, and what is on the first one goes.
  stack.bitbucket.betweenPages(() => Promise.all([push(name(219)), remove(name(5))]));
  stack.bitbucket.betweenPages(() => Promise.all([push('a-new-one'), push(name(3))]));
  const got = await branches();

  expect(new Set(got).size).toBe(got.length);
  const stayed = Array.from({ length: 220 }, (_, number) => name(number)).filter(
    (branch) => branch !== name(5),
  );
  expect(got).toEqual(expect.arrayContaining(['main', ...stayed]));
  // Newest commit first.
  expect(got[0]).toBe(name(219));
});
