import type { SourceTree } from './source-tree';

/** JSON as Bitbucket writes it. */
export type Json = Record<string, unknown>;

export interface Account {
  uuid: string;
  accountId: string;
  displayName: string;
  nickname: string;
  /** Only the account itself sees it, at `GET /user`. */
  username: string;
  email: string;
}

export interface Workspace {
  uuid: string;
  slug: string;
  name: string;
  /**
   * Whether the account that gives the grant is in it. What is in other workspaces is hidden from
   * it.
   */
  member: boolean;
}

export interface Commit {
  hash: string;
  parents: string[];
  /** ISO 8601. */
  date: string;
  /** Grows with every commit: the order in time. */
  sequence: number;
  message: string;
  author: Account;
  files: SourceTree;
}

export interface Tag {
  name: string;
  target: string;
  /** An annotated tag has these, a light one does not. */
  annotation?: { message: string; date: string; tagger: Account };
}

export const STATUS_STATES = ['SUCCESSFUL', 'FAILED', 'INPROGRESS', 'STOPPED'] as const;

export interface BuildStatus {
  key: string;
  state: (typeof STATUS_STATES)[number];
  url: string;
  name: string;
  description: string;
  refname: string | null;
  createdOn: string;
  updatedOn: string;
  /** How often it was written: 1 after it was created. */
  writes: number;
}

export const PULL_REQUEST_STATES = ['OPEN', 'MERGED', 'DECLINED', 'SUPERSEDED'] as const;
export type PullRequestState = (typeof PULL_REQUEST_STATES)[number];

export interface PullRequest {
  id: number;
  title: string;
  description: string;
  state: PullRequestState;
  author: Account;
  createdOn: string;
  updatedOn: string;
  source: { fullName: string; branch: string; hash: string };
  destination: { fullName: string; branch: string; hash: string };
  comments: { id: number; raw: string; author: Account; createdOn: string }[];
}

export interface Webhook {
  /** With braces. */
  uuid: string;
  url: string;
  description: string;
  active: boolean;
  events: string[];
  secret?: string;
  createdAt: string;
}

export interface Repository {
  uuid: string;
  workspace: Workspace;
  slug: string;
  name: string;
  fullName: string;
  mainBranch: string;
  isPrivate: boolean;
  parent?: Repository;
  createdOn: string;
  commits: Map<string, Commit>;
  branches: Map<string, string>;
  tags: Map<string, Tag>;
  /** By commit, then by key. */
  statuses: Map<string, Map<string, BuildStatus>>;
  /** Code insights, by commit, then by the id that their maker gave. */
  reports: Map<string, Map<string, Json>>;
  pullRequests: PullRequest[];
  webhooks: Map<string, Webhook>;
}
