import type { Request } from 'express';
import {
  BitbucketApiError,
  createPages,
  PULL_REQUEST_PAGES,
  queryOf,
  USUAL_PAGES,
} from '@cds/stand-ins/bitbucket';
import * as world from './bitbucket-world';

type Json = Record<string, unknown>;

/** A call that carried a token of `account`. */
export interface Call {
  request: Request;
  body: string;
  /** Of the path. */
  values: string[];
  account: string;
}

export interface Answer {
  status?: number;
  body: unknown;
}

const REPO = '/2\\.0/repositories/([^/]+/[^/]+)';
const HEX = '([0-9a-f]{12,40})';

let origin = '';
const pages = createPages(() => origin);

/** @param url what the links of pages begin with */
export function setOrigin(url: string): void {
  origin = url;
}

const webhooks = new Map<string, Json[]>();
const statuses = new Map<string, Json>();

const page = (call: Call, values: Json[], limits = USUAL_PAGES): Answer => ({
  body: pages.page(call.request, values, limits),
});

/** Name, method and path, what is answered. */
export const ROUTES: [string, string, RegExp, (call: Call) => Answer][] = [
  [
    'workspaces',
    'GET',
    /^\/2\.0\/user\/workspaces$/,
    (call) => page(call, world.workspaces(call.account)),
  ],
  ['repositories', 'GET', /^\/2\.0\/repositories\/([^/]+)$/, listRepositories],
  [
    'repository',
    'GET',
    path(REPO),
    ({ values: [name = ''] }) => ({ body: world.repository(name) }),
  ],
  [
    'branches',
    'GET',
    path(`${REPO}/refs/branches`),
    (call) => page(call, world.branches(call.values[0] ?? '')),
  ],
  ['branch', 'GET', path(`${REPO}/refs/branches/(.+)`), oneBranch],
  [
    'pullrequests',
    'GET',
    path(`${REPO}/pullrequests`),
    (call) => page(call, world.pullRequests(call.values[0] ?? ''), PULL_REQUEST_PAGES),
  ],
  ['commit', 'GET', path(`${REPO}/commit/${HEX}`), oneCommit],
  ['statuses', 'GET', path(`${REPO}/commit/${HEX}/statuses`), listStatuses],
  ['status', 'POST', path(`${REPO}/commit/${HEX}/statuses/build`), takeStatus],
  [
    'hooks',
    'GET',
    path(`${REPO}/hooks`),
    (call) => page(call, webhooks.get(call.values[0] ?? '') ?? []),
  ],
  ['new hook', 'POST', path(`${REPO}/hooks`), createHook],
];

function path(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}

function listRepositories(call: Call): Answer {
  if (queryOf(call.request).get('role') !== 'member')
    throw new BitbucketApiError(400, 'The bench lists what the user is a member of');
  return page(call, world.repositories(call.values[0] ?? ''));
}

function oneBranch({ values: [repo = '', name = ''] }: Call): Answer {
  const number =
    name === 'main' ? 0 : Number(/^feature\/(\d+)$/.exec(decodeURIComponent(name))?.[1]);
  if (!(number < world.BRANCHES)) throw new BitbucketApiError(404, `Branch ${name} not found`);
  return { body: world.branch(repo, number) };
}

function oneCommit({ values: [repo = '', hash = ''] }: Call): Answer {
  // Short ones are of a branch here.
  const isOf = (full: string): boolean => full.startsWith(hash);
  const full = hash.length === 40 ? hash : world.hashes(repo).find(isOf);
  if (full === undefined) throw new BitbucketApiError(404, `Commit ${hash} not found`);
  return { body: world.commit(full) };
}

function listStatuses(call: Call): Answer {
  const [repo, hash] = call.values;
  const here = [...statuses].filter(([key]) => key.startsWith(`${repo} ${hash} `));
  return page(
    call,
    here.map(([, status]) => status),
  );
}

function takeStatus({ values: [repo, hash], body }: Call): Answer {
  const status = JSON.parse(body) as { key: string; state: string };
  if (!status.key || status.key.length > 40 || !status.state)
    throw new BitbucketApiError(400, 'key and state are needed');
  const key = `${repo} ${hash} ${status.key}`;
  const isNew = !statuses.has(key);
  const now = new Date().toISOString();
  const kept = { ...status, type: 'build', created_on: now, updated_on: now };
  statuses.set(key, kept);
  return { status: isNew ? 201 : 200, body: kept };
}

function createHook({ values: [repo = ''], body }: Call): Answer {
  const { secret, ...asked } = JSON.parse(body) as Json;
  if (typeof asked['url'] !== 'string' || !Array.isArray(asked['events']))
    throw new BitbucketApiError(400, 'url and events are needed');
  const here = webhooks.get(repo) ?? [];
  const hook = { ...asked, uuid: `{hook-${here.length}}`, secret_set: Boolean(secret) };
  webhooks.set(repo, [...here, hook]);
  return { status: 201, body: hook };
}

/** The code names the token that it is exchanged for. */
export function exchangeCode(body: string): Answer {
  const form = new URLSearchParams(body);
  const token = form.get('code') ?? '';
  if (form.get('grant_type') !== 'authorization_code' || world.accountOf(token) === undefined)
    throw new BitbucketApiError(400, 'unauthorized_client');
  const tokens = { access_token: token, refresh_token: `refresh-${token}`, expires_in: 3_600 };
  return { body: { ...tokens, scope: 'account repository webhook', token_type: 'bearer' } };
}
