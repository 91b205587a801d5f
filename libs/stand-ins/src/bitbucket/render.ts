import type {
  Account,
  BuildStatus,
  Commit,
  Json,
  PullRequest,
  Repository,
  Tag,
  Webhook,
} from './model';

const MERGE_STRATEGIES = [
  'merge_commit',
  'squash',
  'fast_forward',
  'squash_fast_forward',
  'rebase_fast_forward',
  'rebase_merge',
];

export type Renderer = ReturnType<typeof createRenderer>;

/**
 * Writes what the store holds as Bitbucket's JSON. `publicUrl` is the origin that all links begin
 * with.
 */
export function createRenderer(publicUrl: () => string) {
  const api = (path: string): Json => ({ href: `${publicUrl()}/2.0${path}` });
  const html = (path: string): Json => ({ href: `${publicUrl()}/${path}` });
  const apiOf = (repository: Repository, path = ''): Json =>
    api(`/repositories/${repository.fullName}${path}`);
  const htmlOf = (repository: Repository, path = ''): Json => html(`${repository.fullName}${path}`);

  /** An account as others see it: without its user name since 2019. */
  function account(one: Account): Json {
    const id = encodeURIComponent(one.uuid);
    return {
      display_name: one.displayName,
      links: {
        self: api(`/users/${id}`),
        avatar: html(`account/${id}/avatar`),
        html: html(`${id}/`),
      },
      type: 'user',
      uuid: one.uuid,
      account_id: one.accountId,
      nickname: one.nickname,
    };
  }

  function author(one: Account): Json {
    return { type: 'author', raw: `${one.displayName} <${one.email}>`, user: account(one) };
  }

  function repositoryBrief(repository: Repository): Json {
    return {
      type: 'repository',
      full_name: repository.fullName,
      links: {
        self: apiOf(repository),
        html: htmlOf(repository),
        avatar: htmlOf(repository, '/avatar'),
      },
      name: repository.name,
      uuid: repository.uuid,
    };
  }

  function commitBrief(repository: Repository, hash: string): Json {
    return {
      type: 'commit',
      hash,
      links: {
        self: apiOf(repository, `/commit/${hash}`),
        html: htmlOf(repository, `/commits/${hash}`),
      },
    };
  }

  function commit(repository: Repository, one: Commit): Json {
    const below = (path: string): Json => apiOf(repository, `${path}/${one.hash}`);
    return {
      type: 'commit',
      hash: one.hash,
      date: one.date,
      author: author(one.author),
      committer: {},
      message: one.message,
      summary: {
        type: 'rendered',
        raw: one.message,
        markup: 'markdown',
        html: `<p>${one.message.trim()}</p>`,
      },
      links: {
        ...(commitBrief(repository, one.hash)['links'] as Json),
        diff: below('/diff'),
        patch: below('/patch'),
        approve: apiOf(repository, `/commit/${one.hash}/approve`),
        comments: apiOf(repository, `/commit/${one.hash}/comments`),
        statuses: apiOf(repository, `/commit/${one.hash}/statuses`),
      },
      parents: one.parents.map((parent) => commitBrief(repository, parent)),
      rendered: {},
      properties: {},
    };
  }

  function target(repository: Repository, hash: string): Json {
    const found = repository.commits.get(hash);
    if (!found) throw new Error(`${repository.fullName} has no commit ${hash}`);
    return { ...commit(repository, found), repository: repositoryBrief(repository) };
  }

  function branch(repository: Repository, name: string, hash: string): Json {
    return {
      name,
      target: target(repository, hash),
      links: {
        self: apiOf(repository, `/refs/branches/${name}`),
        commits: apiOf(repository, `/commits/${name}`),
        html: htmlOf(repository, `/branch/${name}`),
        pullrequest_create: htmlOf(repository, `/pull-requests/new?source=${name}&t=1`),
      },
      type: 'branch',
      merge_strategies: MERGE_STRATEGIES,
      sync_strategies: ['merge_commit', 'rebase'],
      default_merge_strategy: 'merge_commit',
    };
  }

  function tag(repository: Repository, one: Tag): Json {
    return {
      name: one.name,
      type: 'tag',
      message: one.annotation?.message ?? null,
      date: one.annotation?.date ?? null,
      tagger: one.annotation ? author(one.annotation.tagger) : null,
      target: target(repository, one.target),
      links: {
        self: apiOf(repository, `/refs/tags/${one.name}`),
        commits: apiOf(repository, `/commits/${one.name}`),
        html: htmlOf(repository, `/commits/tag/${one.name}`),
      },
    };
  }

  function repository(one: Repository): Json {
    return {
      ...repositoryBrief(one),
      slug: one.slug,
      scm: 'git',
      website: null,
      description: '',
      has_wiki: false,
      has_issues: false,
      fork_policy: 'no_public_forks',
      language: '',
      size: 84_351,
      created_on: one.createdOn,
      updated_on: one.createdOn,
      is_private: one.isPrivate,
      mainbranch: { type: 'branch', name: one.mainBranch },
      workspace: {
        type: 'workspace',
        uuid: one.workspace.uuid,
        name: one.workspace.name,
        slug: one.workspace.slug,
        links: {
          self: api(`/workspaces/${one.workspace.slug}`),
          html: html(`${one.workspace.slug}/`),
        },
      },
      // Announced in 2020 to go away, and still sent.
      owner: {
        display_name: one.workspace.name,
        type: 'team',
        uuid: one.workspace.uuid,
        username: one.workspace.slug,
        links: { html: html(`${one.workspace.slug}/`) },
      },
      project: { type: 'project', key: 'DEV', name: 'Development', uuid: one.workspace.uuid },
      parent: one.parent ? repositoryBrief(one.parent) : null,
      links: {
        self: apiOf(one),
        html: htmlOf(one),
        avatar: htmlOf(one, '/avatar'),
        // Their order is not promised: who takes the first for https gets the wrong one here.
        clone: [
          { name: 'ssh', href: `git@bitbucket.org:${one.fullName}.git` },
          { name: 'https', href: `https://jane-doe@bitbucket.org/${one.fullName}.git` },
        ],
        branches: apiOf(one, '/refs/branches'),
        tags: apiOf(one, '/refs/tags'),
        commits: apiOf(one, '/commits'),
        hooks: apiOf(one, '/hooks'),
        forks: apiOf(one, '/forks'),
        pullrequests: apiOf(one, '/pullrequests'),
      },
    };
  }

  function status(one: Repository, hash: string, build: BuildStatus): Json {
    return {
      key: build.key,
      type: 'build',
      state: build.state,
      name: build.name,
      refname: build.refname,
      commit: commitBrief(one, hash),
      url: build.url,
      repository: repositoryBrief(one),
      description: build.description,
      created_on: build.createdOn,
      updated_on: build.updatedOn,
      links: {
        self: apiOf(one, `/commit/${hash}/statuses/build/${encodeURIComponent(build.key)}`),
        commit: apiOf(one, `/commit/${hash}`),
      },
    };
  }

  function pullRequest(
    one: Repository,
    request: PullRequest,
    find: (name: string) => Repository,
  ): Json {
    const self = `/pullrequests/${request.id}`;
    const end = ({ fullName, branch: name, hash }: PullRequest['source']): Json => {
      const at = find(fullName);
      return {
        branch: { name },
        // Twelve digits, not forty.
        commit: commitBrief(at, hash.slice(0, 12)),
        repository: repositoryBrief(at),
      };
    };
    return {
      type: 'pullrequest',
      id: request.id,
      title: request.title,
      description: request.description,
      summary: { type: 'rendered', raw: request.description, markup: 'markdown', html: '' },
      state: request.state,
      draft: false,
      queued: false,
      merge_commit: null,
      close_source_branch: false,
      closed_by: null,
      reason: '',
      author: account(request.author),
      created_on: request.createdOn,
      updated_on: request.updatedOn,
      source: end(request.source),
      destination: end(request.destination),
      comment_count: request.comments.length,
      task_count: 0,
      links: {
        self: apiOf(one, self),
        html: htmlOf(one, `/pull-requests/${request.id}`),
        comments: apiOf(one, `${self}/comments`),
        commits: apiOf(one, `${self}/commits`),
        statuses: apiOf(one, `${self}/statuses`),
      },
    };
  }

  /** A webhook as it is shown: its secret never is. */
  function webhook(one: Repository, hook: Webhook): Json {
    return {
      type: 'webhook_subscription',
      uuid: hook.uuid,
      url: hook.url,
      description: hook.description,
      subject_type: 'repository',
      subject: repositoryBrief(one),
      active: hook.active,
      created_at: hook.createdAt,
      events: hook.events,
      skip_cert_verification: false,
      history_enabled: false,
      read_only: false,
      source: null,
      secret_set: hook.secret !== undefined,
      links: { self: apiOf(one, `/hooks/${encodeURIComponent(hook.uuid)}`) },
    };
  }

  return {
    account,
    repository,
    repositoryBrief,
    commit,
    commitBrief,
    branch,
    tag,
    status,
    pullRequest,
    webhook,
    apiOf,
    htmlOf,
  };
}
