import { createHash } from 'node:crypto';

export interface StandInCommit {
  hash: string;
  date: string;
  message: string;
  raw: string;
  nickname?: string;
}

export interface StandInPullRequest {
  id: number;
  title: string;
  state: 'OPEN' | 'MERGED' | 'DECLINED' | 'SUPERSEDED';
  source: { repository: string | null; branch: string; hash: string };
  destination: { repository: string; branch: string; hash: string };
  comments: string[];
}

export interface StandInHook {
  uuid: string;
  url: string;
  description: string;
  active: boolean;
  events: string[];
  /** Never told. */
  secret?: string;
}

export interface StandInFile {
  path: string;
  content: string | Buffer;
  /** `link`, `executable`, `subrepository`, `binary`, `lfs`. */
  attributes?: string[];
}

export interface StandInRepository {
  workspace: string;
  slug: string;
  uuid: string;
  name: string;
  mainBranch: string;
  /** The user of the token, whom Bitbucket writes into the https link. */
  cloneUser?: string;
  /** Name to hash. */
  branches: Map<string, string>;
  tags: { name: string; message: string | null; hash: string }[];
  /** One line, newest first. */
  commits: StandInCommit[];
  pullRequests: StandInPullRequest[];
  hooks: StandInHook[];
  /** By commit, then by key. */
  statuses: Map<string, Map<string, Record<string, unknown>>>;
  forks: StandInRepository[];
  /** By commit. */
  files: Map<string, StandInFile[]>;
  /** Bodies by commit and id, with a space between. */
  reports: Map<string, Record<string, unknown>>;
}

/** A stable hash of 40 digits. */
export function hashOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

/** A repository with `count` commits on its main branch. */
export function newRepository(workspace: string, slug: string, count = 3): StandInRepository {
  const commits = Array.from({ length: count }, (_, index): StandInCommit => {
    const number = count - index;
    return {
      hash: hashOf(`${workspace}/${slug} ${number}`),
      date: new Date(Date.UTC(2026, 9, 1, 12, 0, number)).toISOString().replace('.000Z', '+00:00'),
      message: `change ${number}\n`,
      raw: 'Ada Example <ada@acme.example>',
      nickname: 'ada',
    };
  });
  const newest = commits[0]?.hash ?? '';
  return {
    workspace,
    slug,
    uuid: `{${slug}-uuid}`,
    name: `The ${slug}`,
    mainBranch: 'main',
    branches: new Map(count > 0 ? [['main', newest]] : []),
    tags: [],
    commits,
    pullRequests: [],
    hooks: [],
    statuses: new Map(),
    forks: [],
    files: new Map(),
    reports: new Map(),
  };
}

/** The commit that a hash (also a short one), a branch or a tag means. */
export function findCommit(repo: StandInRepository, ref: string): StandInCommit | undefined {
  const hash = repo.branches.get(ref) ?? repo.tags.find((tag) => tag.name === ref)?.hash ?? ref;
  return hash.length < 7 ? undefined : repo.commits.find((one) => one.hash.startsWith(hash));
}
