import { captureLogger } from '@cds/testing';
import { context, fastClient } from '../../test/client.fixture';
import {
  type FakeBitbucket,
  type FakeList,
  startFakeBitbucket,
} from '../../test/fake-bitbucket.fixture';
import { branchValue, pullRequestValue, repositoryValue } from '../../test/values.fixture';
import type { BitbucketClient } from '..';

const repo = { workspace: 'ws', slug: 'repo' };
const REPO = 'repositories|ws|repo';

let bitbucket: FakeBitbucket;
beforeEach(async () => {
  bitbucket = await startFakeBitbucket();
});
afterEach(() => bitbucket.close());

interface Kind {
  key: string;
  maxPagelen?: number;
  value: (number: number) => object;
  /** Reads the list; what tells its values apart. */
  read: (client: BitbucketClient) => Promise<(string | number)[]>;
  id: (number: number) => string | number;
  sort: string | null;
}

const name = (number: number) => `b${String(number).padStart(4, '0')}`;
const names = <T extends { name: string }>(list: T[]) => list.map((one) => one.name);
const tag = (number: number) => ({ ...branchValue(name(number)), message: '', tagger: null });

const KINDS: Record<string, Kind> = {
  branches: {
    key: `${REPO}|refs|branches`,
    value: (number) => branchValue(name(number)),
    read: async (client) => names(await client.listBranches(repo, context())),
    id: name,
    sort: 'name',
  },
  tags: {
    key: `${REPO}|refs|tags`,
    value: tag,
    read: async (client) => names(await client.listTags(repo, context())),
    id: name,
    sort: 'name',
  },
  refs: {
    key: `${REPO}|refs`,
    value: (number) => branchValue(name(number)),
    read: async (client) => names(await client.listRefs(repo, context())),
    id: name,
    sort: 'name',
  },
  'pull requests': {
    key: `${REPO}|pullrequests`,
    maxPagelen: 50,
    value: (id) => pullRequestValue({ id, source: name(id) }),
    read: async (client) =>
      (await client.listPullRequests(repo, {}, context())).map(({ id }) => id),
    id: (number) => number,
    sort: '-created_on',
  },
  forks: {
    key: `${REPO}|forks`,
    value: (number) => repositoryValue(`fork/${name(number)}`),
    read: async (client) => (await client.listForks(repo, context())).map(({ slug }) => slug),
    id: name,
    sort: 'created_on',
  },
  hooks: {
    key: `${REPO}|hooks`,
    value: (number) => ({ uuid: `{${number}}`, url: 'https://h.example', events: [] }),
    read: async (client) => (await client.listHooks(repo, context())).map(({ uuid }) => uuid),
    id: (number) => `{${number}}`,
    sort: null,
  },
};

const FIRST = 1_000;
const COUNT = 230;

/** Numbers from 1,000 on, and what happens before the pages after the first are asked for. */
async function readWhile(kind: Kind, changes: ((values: object[]) => void)[], tellsSize = true) {
  const { maxPagelen } = kind;
  const numbers = Array.from({ length: COUNT }, (_, index) => FIRST + index);
  const list: FakeList = {
    values: numbers.map(kind.value),
    tellsSize,
    ...(maxPagelen ? { maxPagelen } : {}),
  };
  // Where the heads of pull requests are looked for.
  const heads = [1, 2, ...numbers].map((number) => branchValue(name(number)));
  bitbucket.lists.set(`${REPO}|refs|branches`, { values: heads });
  bitbucket.lists.set(kind.key, list);
  const pending = [() => undefined, ...changes];
  const path = kind.key.split('|').map(encodeURIComponent).join('/');
  const isOfList = (rawPath: string) => rawPath === `/2.0/${path}`;
  const script = (): void => {
    bitbucket.scripted.push(({ rawPath }) => {
      if (isOfList(rawPath)) pending.shift()?.(list.values);
      if (pending.length > 0) script();
      return undefined;
    });
  };
  script();
  const { logger, lines } = captureLogger();
  const got = await kind.read(fastClient(bitbucket.apiUrl, { logger }));
  const requests = bitbucket.requests.filter(({ rawPath }) => isOfList(rawPath));
  return { got, requests, lines };
}

const stayed = (kind: Kind, ...without: number[]) =>
  Array.from({ length: COUNT }, (_, index) => FIRST + index)
    .filter((number) => !without.includes(number))
    .map(kind.id);

describe.each(Object.entries(KINDS))('a list of %s that changes while it is read', (_, kind) => {
  const pages = Math.ceil(COUNT / (kind.maxPagelen ?? 100));

  it('is asked for by a key that no push changes', async () => {
    const { got, requests } = await readWhile(kind, []);
    expect(got).toEqual(stayed(kind));
    expect(requests).toHaveLength(pages);
    expect(requests[0]?.query.get('sort')).toBe(kind.sort);
  });

  it('holds nothing twice where something came before', async () => {
    const insert = (values: object[]) => void values.unshift(kind.value(1), kind.value(2));
    for (const tellsSize of [true, false]) {
      const { got } = await readWhile(kind, [insert], tellsSize);
      expect(new Set(got).size).toBe(got.length);
      expect(got).toEqual(expect.arrayContaining(stayed(kind)));
    }
  });

  it('is whole where something before went, for one call more', async () => {
    const remove = (values: object[]) => void values.splice(3, 2);
    const { got, requests } = await readWhile(kind, [remove]);
    expect(new Set(got).size).toBe(got.length);
    expect(got).toEqual(expect.arrayContaining(stayed(kind, 1_003, 1_004)));
    expect(requests.length).toBeLessThanOrEqual(pages + 1);
  });

  it('is whole where more than a page went, and where it goes on', async () => {
    const removeMany = (values: object[]) => void values.splice(0, 40);
    const remove = (values: object[]) => void values.splice(0, 1);
    const removed = Array.from({ length: 41 }, (_, index) => FIRST + index);
    const { got } = await readWhile(kind, [removeMany, remove]);
    expect(new Set(got).size).toBe(got.length);
    expect(got).toEqual(expect.arrayContaining(stayed(kind, ...removed)));
  });

  it('is not read again where as much came as went', async () => {
    const replace = (values: object[]) => void values.splice(3, 1, kind.value(1));
    const { got, requests } = await readWhile(kind, [replace]);
    expect(got).toEqual(expect.arrayContaining(stayed(kind, 1_003)));
    expect(requests).toHaveLength(pages);
  });

  it('goes on without an item that cannot be read, which a warning names', async () => {
    const spoil = (values: object[]) =>
      void values.splice(120, 1, { name: 'the-odd-one', id: 'x' });
    const { got, lines } = await readWhile(kind, [spoil]);
    expect(got).toEqual(expect.arrayContaining(stayed(kind, 1_120)));
    const warning = { level: 40, item: expect.stringMatching(/^(the-odd-one|x)$/) };
    expect(lines).toEqual([expect.objectContaining(warning)]);
  });
});

it('a list of which nothing can be read is refused', async () => {
  bitbucket.lists.set(`${REPO}|refs|branches`, { values: [{ name: 'a' }, { name: 'b' }] });
  await expect(fastClient(bitbucket.apiUrl).listBranches(repo, context())).rejects.toMatchObject({
    kind: 'invalid-answer',
  });
});
