import { createHmac, randomUUID } from 'node:crypto';

/** A webhook as the load knows it. */
export interface LoadedHook {
  uuid: string;
  secret: string;
}

/** Bodies of Bitbucket's `repo:push` are about this long. */
const BODY_BYTES = 6 * 1024;
const HASH_LENGTH = 40;

/**
 * The commit of the n-th delivery of a hook in a round: tells in the stand-in of the API what has
 * come. The first twelve digits differ: `hooks` tells commits apart by these. A round before the
 * measured ones is negative.
 */
export function commitOf(round: number, hook: number, number: number): string {
  return `${hex(number, 6)}${hex(hook, 4)}${hex(round & 0xff, 2)}`.padEnd(HASH_LENGTH, '0');
}

/** @returns round, hook, number of {@link commitOf} */
export function readCommit(hash: string): [number, number, number] {
  const round = parseInt(hash.slice(10, 12), 16);
  const [number, hook] = [hash.slice(0, 6), hash.slice(6, 10)].map((part) => parseInt(part, 16));
  return [round > 0x7f ? round - 0x100 : round, hook ?? NaN, number ?? NaN];
}

function hex(value: number, length: number): string {
  return value.toString(16).padStart(length, '0');
}

const PLACE = '#'.repeat(HASH_LENGTH);
const [BEFORE, AFTER] = pieces();

/** A push of one commit to one branch, as Bitbucket signs and sends it. */
export function signedPush(
  hook: LoadedHook,
  hash: string,
): { headers: Record<string, string>; body: Buffer } {
  const body = Buffer.concat([BEFORE, Buffer.from(hash), AFTER]);
  const signature = createHmac('sha256', hook.secret).update(body).digest('hex');
  return {
    headers: {
      'Content-Type': 'application/json',
      'User-Agent': 'Bitbucket-Webhooks/2.0',
      'X-Event-Key': 'repo:push',
      'X-Hook-UUID': '5c8f9a6e-6f0e-4d0e-9a39-0c3c7c2b7f10',
      'X-Request-UUID': randomUUID(),
      'X-Attempt-Number': '1',
      'X-Hub-Signature': `sha256=${signature}`,
    },
    body,
  };
}

function pieces(): [Buffer, Buffer] {
  const link = (name: string): object => ({
    href: `https://api.bitbucket.org/2.0/repositories/acme/web-shop/${name}`,
  });
  const person = {
    type: 'user',
    display_name: 'Ann Example',
    nickname: 'ann',
    account_id: '557058:00000000-0000-0000-0000-000000000001',
    uuid: '{00000000-0000-0000-0000-000000000002}',
    links: { self: link('a'), html: link('b'), avatar: link('c') },
  };
  const commit = {
    type: 'commit',
    hash: PLACE,
    date: '2026-11-22T10:00:00+00:00',
    author: { type: 'author', raw: 'Ann Example <ann@example.com>', user: person },
    message: 'work on main\n',
    parents: [{ type: 'commit', hash: '1'.repeat(HASH_LENGTH), links: { self: link('d') } }],
    links: { self: link('e'), html: link('f') },
  };
  const push = {
    push: {
      changes: [
        {
          old: {
            type: 'branch',
            name: 'main',
            target: { ...commit, hash: '2'.repeat(HASH_LENGTH) },
          },
          new: { type: 'branch', name: 'main', target: commit },
          created: false,
          closed: false,
          forced: false,
          truncated: false,
          commits: [{ ...commit, hash: '3'.repeat(HASH_LENGTH) }],
        },
      ],
    },
    repository: {
      type: 'repository',
      name: 'web-shop',
      full_name: 'acme/web-shop',
      scm: 'git',
      uuid: '{00000000-0000-0000-0000-000000000003}',
      links: { self: link('g'), html: link('h'), avatar: link('i') },
      description: '',
    },
    actor: person,
  };
  const short = JSON.stringify(push).length;
  push.repository.description = 'x'.repeat(Math.max(0, BODY_BYTES - short));
  const [before = '', after = ''] = JSON.stringify(push).split(PLACE);
  return [Buffer.from(before), Buffer.from(after)];
}
