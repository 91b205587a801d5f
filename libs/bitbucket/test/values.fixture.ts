import { createHash } from 'node:crypto';

/** A hash of 40 digits, the same for the same text. */
export function hashOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

export const shortOf = (text: string): string => hashOf(text).slice(0, 12);

export function repositoryValue(fullName: string): object {
  const [, slug = ''] = fullName.split('/');
  return {
    type: 'repository',
    uuid: `{${slug}}`,
    name: `Display of ${slug}`,
    full_name: fullName,
    scm: 'git',
    mainbranch: { type: 'branch', name: 'main' },
    links: {
      html: { href: `https://bitbucket.org/${fullName}` },
      // ssh first: by position it would be taken for https.
      clone: [
        { name: 'ssh', href: `git@bitbucket.org:${fullName}.git` },
        { name: 'https', href: `https://bitbucket.org/${fullName}.git` },
      ],
    },
  };
}

export function branchValue(name: string): object {
  return {
    type: 'branch',
    name,
    target: { type: 'commit', hash: hashOf(name), parents: [{ hash: hashOf(`${name}^`) }] },
  };
}

export function commitValue(text: string): object {
  return {
    type: 'commit',
    hash: hashOf(text),
    date: '2026-11-20T10:11:12+00:00',
    message: `${text}\n`,
    author: {
      type: 'author',
      raw: 'Ada L <ada@example.org>',
      user: {
        display_name: 'Ada Lovelace',
        nickname: 'ada',
        links: { avatar: { href: 'https://avatar.example/ada' } },
      },
    },
    parents: [{ type: 'commit', hash: hashOf(`${text}^`) }],
    links: { html: { href: `https://bitbucket.org/ws/repo/commits/${hashOf(text)}` } },
  };
}

export interface PullRequestSpec {
  id: number;
  source: string;
  /** null: the fork is deleted. */
  sourceRepository?: string | null | undefined;
}

export function pullRequestValue({ id, source, sourceRepository }: PullRequestSpec): object {
  const repository =
    sourceRepository === null ? null : { full_name: sourceRepository ?? 'ws/repo' };
  return {
    type: 'pullrequest',
    id,
    title: `PR ${id}`,
    state: 'OPEN',
    author: { display_name: 'Ada Lovelace', nickname: 'ada', type: 'user' },
    source: { branch: { name: source }, commit: { hash: shortOf(source) }, repository },
    destination: {
      branch: { name: 'main' },
      commit: { hash: shortOf('main') },
      repository: { full_name: 'ws/repo' },
    },
    links: { html: { href: `https://bitbucket.org/ws/repo/pull-requests/${id}` } },
  };
}
