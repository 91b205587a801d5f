import { randomBytes, randomUUID } from 'node:crypto';
import type { Account, Commit, Repository, Workspace } from './model';
import { changedTree, type FileChanges } from './source-tree';

/** A repository to begin with. */
export interface SeedRepository {
  /** `workspace/slug`. */
  repo: string;
  name?: string;
  mainBranch?: string;
  forkOf?: string;
  /** How many commits the main branch has. */
  commits?: number;
  /** Of its first commit, besides a README.md. */
  files?: FileChanges;
}

export interface Seed {
  account: Pick<Account, 'displayName' | 'nickname' | 'username' | 'email'>;
  workspaces: { slug: string; name: string; member: boolean }[];
  repositories: SeedRepository[];
}

/** Everything that this Bitbucket holds. */
export interface RepositoryStore {
  account: Account;
  workspaces: Workspace[];
  repositories: Map<string, Repository>;
}

/** A small company: two workspaces of Jane's, with a fork, and one that she is not in. */
export const DEFAULT_SEED: Seed = {
  account: {
    displayName: 'Jane Doe',
    nickname: 'jane',
    username: 'jane-doe',
    email: 'jane@example.com',
  },
  workspaces: [
    { slug: 'acme', name: 'Acme Inc.', member: true },
    { slug: 'jane-doe', name: 'Jane Doe', member: true },
    { slug: 'elsewhere', name: 'Elsewhere Ltd.', member: false },
  ],
  repositories: [
    { repo: 'acme/web-shop', name: 'Web Shop', commits: 4 },
    { repo: 'acme/payments', name: 'Payments', mainBranch: 'master' },
    { repo: 'jane-doe/web-shop', name: 'Web Shop', forkOf: 'acme/web-shop' },
    { repo: 'elsewhere/secret', name: 'Secret' },
  ],
};

/** A uuid as Bitbucket writes it, in braces. */
export function bracedUuid(): string {
  return `{${randomUUID()}}`;
}

export function createRepositoryStore(seed: Seed): RepositoryStore {
  const account: Account = {
    ...seed.account,
    uuid: bracedUuid(),
    accountId: `557058:${randomUUID()}`,
  };
  const workspaces = seed.workspaces.map((workspace) => ({ ...workspace, uuid: bracedUuid() }));
  const store: RepositoryStore = { account, workspaces, repositories: new Map() };
  for (const repository of seed.repositories) addRepository(store, repository);
  return store;
}

/** Adds a repository. A fork begins with the commits and branches of its parent. */
export function addRepository(store: RepositoryStore, seed: SeedRepository): Repository {
  const [workspaceSlug = '', slug = ''] = seed.repo.split('/');
  const workspace = store.workspaces.find((one) => one.slug === workspaceSlug);
  if (!workspace || !slug) throw new Error(`No workspace for the repository ${seed.repo}`);
  const parent = seed.forkOf === undefined ? undefined : store.repositories.get(seed.forkOf);
  const mainBranch = seed.mainBranch ?? parent?.mainBranch ?? 'main';
  const repository: Repository = {
    uuid: bracedUuid(),
    workspace,
    slug,
    name: seed.name ?? slug,
    fullName: seed.repo,
    mainBranch,
    isPrivate: true,
    createdOn: new Date().toISOString(),
    commits: new Map(parent?.commits),
    branches: new Map(parent?.branches),
    tags: new Map(parent?.tags),
    statuses: new Map(),
    reports: new Map(),
    pullRequests: [],
    webhooks: new Map(),
    ...(parent ? { parent } : {}),
  };
  if (!parent) {
    for (let number = 1; number <= (seed.commits ?? 2); number += 1) {
      const head = repository.branches.get(mainBranch);
      const commit = addCommit(repository, {
        parents: head ? [head] : [],
        message: number === 1 ? 'Begin\n' : `Go on, step ${number}\n`,
        author: store.account,
        files: number === 1 ? { 'README.md': `# ${repository.name}\n`, ...seed.files } : {},
      });
      repository.branches.set(mainBranch, commit.hash);
    }
  }
  store.repositories.set(seed.repo, repository);
  return repository;
}

let lastSequence = 0;

/** Adds a commit that no ref points to yet. */
export function addCommit(
  repository: Repository,
  {
    files,
    ...commit
  }: Pick<Commit, 'parents' | 'message' | 'author'> & {
    /** What differs from its first parent. */
    files?: FileChanges | undefined;
  },
): Commit {
  lastSequence += 1;
  const [parent = ''] = commit.parents;
  const added: Commit = {
    ...commit,
    files: changedTree(repository.commits.get(parent)?.files ?? new Map(), files),
    hash: randomBytes(20).toString('hex'),
    date: new Date().toISOString().replace(/\.\d+Z$/, '+00:00'),
    sequence: lastSequence,
  };
  repository.commits.set(added.hash, added);
  return added;
}
