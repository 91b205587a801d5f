/** A repository as a URL names it: `{workspace}/{slug}`. */
export interface RepoRef {
  workspace: string;
  slug: string;
}

export interface BbWorkspace {
  slug: string;
  uuid: string;
}

export interface BbRepository {
  uuid: string;
  /** Display name. Not the slug. */
  name: string;
  slug: string;
  /** `{workspace}/{slug}`. */
  fullName: string;
  htmlUrl: string;
  cloneHttps: string;
  cloneSsh: string;
  /** Absent in an empty repository. */
  mainBranch?: string | undefined;
}

export interface BbBranch {
  name: string;
  hash: string;
  parents: string[];
}

export interface BbTag {
  name: string;
  /** Empty for a lightweight tag. */
  message: string;
  /** The commit's hash, not the tag object's. */
  hash: string;
  /** ISO 8601. Absent for a lightweight tag. */
  date?: string | undefined;
  /** Absent for a lightweight tag. */
  tagger?: BbAuthor | undefined;
  /** Of the commit. */
  author: BbAuthor;
}

/** A branch or a tag with the commit that it points to. */
export interface BbRef {
  type: 'branch' | 'tag';
  name: string;
  commit: Omit<BbCommit, 'parents'>;
}

export interface BbAuthor {
  /** As git has it: `Name <mail>`. Empty where Bitbucket only knows the account. */
  raw: string;
  displayName: string;
  /** With braces; absent where the mail belongs to no account. */
  uuid?: string | undefined;
  username?: string | undefined;
  nickname?: string | undefined;
  avatarUrl?: string | undefined;
  /** What stands between `<` and `>` in `raw`, else empty. */
  email: string;
}

export interface BbCommit {
  hash: string;
  /** ISO 8601. */
  date: string;
  message: string;
  htmlUrl: string;
  author: BbAuthor;
  parents: string[];
}

export type BuildState = 'SUCCESSFUL' | 'FAILED' | 'INPROGRESS' | 'STOPPED';

export interface BbStatus {
  key: string;
  name: string;
  state: string;
  description: string;
  url: string;
  refname?: string | undefined;
  /** ISO 8601. */
  createdOn: string;
  /** ISO 8601. */
  updatedOn: string;
}

export interface NewStatus {
  /** At most 40 characters. The same key of a commit is overwritten. */
  key: string;
  state: BuildState;
  url: string;
  name: string;
  description: string;
  /** The source branch: a pull request shows only statuses that name it. */
  refname?: string;
}

export type PullRequestState = 'OPEN' | 'MERGED' | 'DECLINED' | 'SUPERSEDED';

export interface BbPullRequestEnd {
  /** Full name; absent when the fork was deleted or may not be seen. */
  repository?: string | undefined;
  branch: string;
  /** 40 digits wherever they can be had, else Bitbucket's 12. */
  hash: string;
}

export interface BbPullRequest {
  id: number;
  title: string;
  state: string;
  htmlUrl: string;
  author: BbAuthor;
  /** ISO 8601; '' where Bitbucket does not say. */
  updatedOn: string;
  source: BbPullRequestEnd;
  destination: BbPullRequestEnd;
}

export interface NewPullRequest {
  title: string;
  description?: string;
  sourceBranch: string;
  /** Full name of the fork the branch is in; this repository when left out. */
  sourceRepository?: string | undefined;
  /** The main branch when left out. */
  destinationBranch?: string | undefined;
}

/** A file or a directory of a commit. */
export interface BbSourceEntry {
  /** From the root of the repository, without a slash at the end. */
  path: string;
  /** `link`: symbolic; `submodule`: another repository; `lfs`: a file stored elsewhere. */
  kind: 'file' | 'directory' | 'link' | 'submodule' | 'lfs';
  isExecutable: boolean;
  /** Bytes; 0 for all but files. */
  size: number;
}

/** A report of Bitbucket's code insights about a commit. */
export interface NewReport {
  /** Names it among those of the commit: the same id is overwritten. */
  id: string;
  title: string;
  details: string;
  reporter: string;
  type: 'SECURITY' | 'COVERAGE' | 'TEST' | 'BUG';
  /** Absent for a report that judges nothing. */
  result?: 'PASSED' | 'FAILED' | 'PENDING' | undefined;
  data: ReportData[];
}

export type ReportData =
  | { title: string; type: 'LINK'; value: { text: string; href: string } }
  | { title: string; type: 'TEXT'; value: string }
  | { title: string; type: 'BOOLEAN'; value: boolean }
  | { title: string; type: 'DATE' | 'DURATION' | 'NUMBER' | 'PERCENTAGE'; value: number };

export interface BbHook {
  uuid: string;
  url: string;
  description: string;
  active: boolean;
  events: string[];
  secretSet?: boolean | undefined;
}

export interface HookSettings {
  url: string;
  description: string;
  events: string[];
  active: boolean;
  /** The secret that signs deliveries, at most 128 characters. Bitbucket never returns it. */
  secret: string;
}
