import type {
  StandInCommit,
  StandInHook,
  StandInPullRequest,
  StandInRepository,
} from './stand-in-data.fixture';

/**
 * What Bitbucket Cloud writes today: no `username` of users, 12-digit hashes in pull requests,
 * `+00:00`.
 */
export function repositoryJson(repo: StandInRepository) {
  const fullName = `${repo.workspace}/${repo.slug}`;
  const user = repo.cloneUser === undefined ? '' : `${repo.cloneUser}@`;
  return {
    type: 'repository',
    uuid: repo.uuid,
    name: repo.name,
    slug: repo.slug,
    full_name: fullName,
    scm: 'git',
    mainbranch: repo.branches.size > 0 ? { type: 'branch', name: repo.mainBranch } : null,
    links: {
      html: { href: `https://bitbucket.org/${fullName}` },
      // Not in the order in which they are usually seen.
      clone: [
        { name: 'ssh', href: `git@bitbucket.org:${fullName}.git` },
        { name: 'https', href: `https://${user}bitbucket.org/${fullName}.git` },
      ],
    },
  };
}

function userJson(nickname: string) {
  return {
    type: 'user',
    uuid: `{${nickname}}`,
    display_name: `${nickname} Example`,
    nickname,
    links: { avatar: { href: `https://avatar.example/${nickname}.png` } },
  };
}

export function commitJson(repo: StandInRepository, commit: StandInCommit) {
  const parent = repo.commits[repo.commits.indexOf(commit) + 1];
  return {
    type: 'commit',
    hash: commit.hash,
    date: commit.date,
    message: commit.message,
    author: {
      type: 'author',
      raw: commit.raw,
      ...(commit.nickname ? { user: userJson(commit.nickname) } : {}),
    },
    parents: parent ? [{ type: 'commit', hash: parent.hash }] : [],
    links: {
      html: { href: `https://bitbucket.org/${repo.workspace}/${repo.slug}/commits/${commit.hash}` },
    },
  };
}

export function refJson(
  repo: StandInRepository,
  type: 'branch' | 'tag',
  name: string,
  hash: string,
) {
  const commit = repo.commits.find((one) => one.hash === hash);
  return { type, name, target: commit ? commitJson(repo, commit) : { type: 'commit', hash } };
}

export function tagJson(repo: StandInRepository, tag: StandInRepository['tags'][number]) {
  const annotated = tag.message !== null;
  return {
    ...refJson(repo, 'tag', tag.name, tag.hash),
    message: tag.message,
    date: annotated ? '2026-10-02T00:00:00+00:00' : null,
    tagger: annotated ? { type: 'author', raw: 'Tom Tagger <tom@acme.example>' } : null,
  };
}

export function pullRequestJson(repo: StandInRepository, one: StandInPullRequest) {
  const end = (side: StandInPullRequest['source']) => ({
    commit: { type: 'commit', hash: side.hash.slice(0, 12) },
    branch: { name: side.branch },
    repository: side.repository === null ? null : { full_name: side.repository },
  });
  return {
    type: 'pullrequest',
    id: one.id,
    title: one.title,
    state: one.state,
    author: userJson('ada'),
    updated_on: '2026-10-05T10:11:12.120000+00:00',
    source: end(one.source),
    destination: end(one.destination),
    links: {
      html: {
        href: `https://bitbucket.org/${repo.workspace}/${repo.slug}/pull-requests/${one.id}`,
      },
    },
  };
}

export function hookJson(hook: StandInHook) {
  const { secret, ...rest } = hook;
  return { type: 'webhook_subscription', ...rest, secret_set: Boolean(secret) };
}
