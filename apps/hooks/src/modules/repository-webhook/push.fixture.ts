/** Deliveries of `repo:push` in the shape Bitbucket Cloud gives them, written for these specs. */

export const HASH_A = 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678';
export const HASH_B = 'b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3';

export const ada = {
  display_name: 'Ada Kowalska',
  type: 'user',
  uuid: '{5f0c2a3e-7d4b-4a55-9c1d-2b8f6a7e9d10}',
  account_id: '712020:0a1b2c3d',
  nickname: 'ada.k',
  links: { self: { href: 'https://api.bitbucket.org/2.0/users/%7B5f0c2a3e%7D' } },
};

export const repository = {
  type: 'repository',
  uuid: '{0d3f5a6b-1c2d-4e5f-8a9b-0c1d2e3f4a5b}',
  full_name: 'harbour/lighthouse-api',
  name: 'Lighthouse API',
  scm: 'git',
  is_private: true,
  workspace: { type: 'workspace', slug: 'harbour', name: 'Harbour', uuid: '{77aa}' },
  owner: { type: 'team', display_name: 'Harbour', username: 'harbour', uuid: '{77aa}' },
  parent: null,
  website: null,
};

export function commit(hash: string, message = 'Turn the lamp\n', author: object = adaAuthor) {
  return {
    type: 'commit',
    hash,
    date: '2026-10-02T08:30:00+00:00',
    author,
    committer: {},
    message,
    summary: { type: 'rendered', raw: message, markup: 'markdown', html: `<p>${message}</p>` },
    parents: [{ type: 'commit', hash: HASH_B }],
    rendered: {},
    properties: {},
  };
}

const adaAuthor = { type: 'author', raw: 'Ada Kowalska <ada@harbour.example>', user: ada };

export function branch(name: string, hash = HASH_A, message?: string) {
  return {
    type: 'branch',
    name,
    target: commit(hash, message),
    merge_strategies: ['merge_commit', 'squash'],
    default_merge_strategy: 'merge_commit',
  };
}

export const lightTag = (name: string, hash = HASH_A) => ({
  type: 'tag',
  name,
  target: commit(hash),
  message: null,
  date: null,
  tagger: null,
});

export const annotatedTag = (name: string, hash = HASH_A) => ({
  ...lightTag(name, hash),
  message: 'The first release\n',
  date: '2026-10-02T09:00:00+00:00',
  tagger: {},
});

export const created = (ref: object) => ({
  old: null,
  new: ref,
  created: true,
  closed: false,
  forced: false,
  truncated: false,
  commits: [commit(HASH_A)],
});

export const updated = (before: object, after: object, more: object = {}) => ({
  old: before,
  new: after,
  created: false,
  closed: false,
  forced: false,
  truncated: false,
  commits: [commit(HASH_A)],
  ...more,
});

export const deleted = (ref: object) => ({
  old: ref,
  new: null,
  created: false,
  closed: true,
  forced: false,
  truncated: false,
});

/** The delivery of one push; `overrides` replace top-level properties. */
export function push(changes: unknown[], overrides: object = {}): Buffer {
  return Buffer.from(JSON.stringify({ push: { changes }, repository, actor: ada, ...overrides }));
}
