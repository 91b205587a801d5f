import type { BitbucketServerConfig } from '@cds/config';
import type { ProxySettings } from '@cds/network';
import { vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';
import * as z from 'zod';
import { askUrl, withoutSlash } from '../../ask-url';
import { reasonOf } from '../../command-error';
import { type Check, failed, ok, type Outcome, skipped, warning } from '../finding';
import type { Clocks } from './clocks';
import type { StoredGrants } from './grants';

export interface ServerTarget {
  server: BitbucketServerConfig;
  proxies: ProxySettings | undefined;
  redis: { subject: string; redis: Redis };
  grants: StoredGrants;
  clocks: Clocks;
}

/** Is Bitbucket there, and does it take the consumer and the grants? */
export function bitbucketChecks(target: ServerTarget): Check[] {
  const { server } = target;
  const subject = server.name;
  const needs = [`bitbucket ${subject}`];
  const inRedis = [`redis ${target.redis.subject}`];
  return [
    { id: 'bitbucket', subject, run: (signal) => reachable(target, signal) },
    { id: 'bitbucket.consumer', subject, needs, run: (signal) => consumer(target, signal) },
    { id: 'bitbucket.grants', subject, needs: inRedis, run: () => grants(target) },
    {
      ...{ id: 'bitbucket.grant', subject, needs: [...needs, `bitbucket.grants ${subject}`] },
      run: (signal) => oneGrant(target, signal),
    },
    { id: 'bitbucket.budget', subject, needs: inRedis, run: () => budget(target) },
  ];
}

async function reachable(target: ServerTarget, signal: AbortSignal): Promise<Outcome> {
  const { server, proxies, clocks } = target;
  // It needs no token, and lists what webhooks may subscribe to.
  const url = `${withoutSlash(server.apiUrl)}/hook_events`;
  try {
    const answer = await askUrl({ url, proxies, signal });
    clocks.note(`Bitbucket ${server.name}`, answer.aheadMs);
    if (answer.status < 500) return ok(`${server.apiUrl} answers`);
    return failed(
      `${server.apiUrl} answers ${answer.status}`,
      'see https://bitbucket.status.atlassian.com',
    );
  } catch (error) {
    return failed(
      `${server.apiUrl}: ${reasonOf(error)}`,
      'let the services out to it, by HTTPS_PROXY where there is a proxy; ' +
        'NODE_EXTRA_CA_CERTS names the CA of one that reads along',
    );
  }
}

/** What vcs needs of a consumer; each with those that imply it. */
const IMPLIED_BY: Readonly<Record<string, readonly string[]>> = {
  account: ['account', 'account:write'],
  'repository:write': ['repository:write', 'pullrequest:write'],
  'pullrequest:write': ['pullrequest:write'],
  webhook: ['webhook'],
};

const NEEDED_SCOPES = Object.keys(IMPLIED_BY);

/** The needed scopes that are not among those given. */
function missingScopes(given: readonly string[]): string[] {
  return NEEDED_SCOPES.filter(
    (needed) => !(IMPLIED_BY[needed] ?? []).some((scope) => given.includes(scope)),
  );
}

const text = z.string().optional();
const tokenAnswer = z.object({ scope: text, scopes: text, error: text, error_description: text });

/**
 * Asks for an access token of the consumer's own, the grant that uses nothing up, and drops it. A
 * refresh token would be used up, and a made-up one may lock the consumer out for a while.
 */
async function consumer(target: ServerTarget, signal: AbortSignal): Promise<Outcome> {
  const { server, proxies } = target;
  const basic = Buffer.from(`${server.clientId}:${server.clientSecret}`).toString('base64');
  const answer = await askUrl({
    ...{ method: 'POST', url: `${withoutSlash(server.oauthUrl)}/access_token`, proxies, signal },
    headers: {
      Authorization: `Basic ${basic}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  const said = tokenAnswer.safeParse(answer.json).data ?? {};
  const words = said.error_description ?? said.error ?? '';
  if (answer.status === 200) {
    const missing = missingScopes((said.scope ?? said.scopes ?? '').split(/\s+/));
    return missing.length === 0
      ? ok(`Bitbucket takes the consumer, which has the scopes ${NEEDED_SCOPES.join(', ')}`)
      : failed(
          `the consumer lacks the scope ${missing.join(', ')}`,
          'add the permission to the consumer, then link the projects again',
        );
  }
  const refusal = `${answer.status} ${words.slice(0, 200)}`;
  const isUnknown = /invalid_client|Invalid OAuth client/i.test(`${said.error ?? ''} ${words}`);
  if (answer.status === 401 || isUnknown)
    return failed(
      `Bitbucket refuses clientId and clientSecret: ${refusal}`,
      `correct both in [vcs.servers.${server.name}.bitbucketcloud]: Workspace settings, OAuth consumers`,
    );
  if (answer.status === 400)
    return ok('Bitbucket takes clientId and clientSecret; it tells the scopes of no such consumer');
  return skipped(`not known: Bitbucket answers ${refusal}`, 'ask again later');
}

async function grants({ server, grants: stored }: ServerTarget): Promise<Outcome> {
  const { total, readable, isComplete } = await stored.of(server.clientSecret);
  const counted = `${readable.length} of ${isComplete ? '' : 'the first '}${total} stored grants`;
  if (total === 0)
    return ok('no grant is stored: none was renewed yet, or all projects are VCS projects');
  if (readable.length === total) return ok(`${counted} can be read`);
  return (readable.length === 0 && stored.isOnlyServer ? failed : warning)(
    `${counted} can be read with this clientSecret`,
    'those of other servers cannot; after a change of clientSecret link the projects again, or put the earlier one back',
  );
}

async function oneGrant(target: ServerTarget, signal: AbortSignal): Promise<Outcome> {
  const { server, proxies } = target;
  const { readable } = await target.grants.of(server.clientSecret);
  const alive = readable.find(({ expiresAt }) => expiresAt > Date.now());
  if (!alive)
    return skipped(
      readable.length === 0
        ? 'no stored grant to ask with'
        : 'not known: every stored access token has expired, which is as it should be; renewing one would change it',
      'a build or a page of the project in CDS renews it: ask again within the hour',
    );
  const answer = await askUrl({
    ...{ url: `${withoutSlash(server.apiUrl)}/user`, proxies, signal },
    headers: { Authorization: `Bearer ${alive.accessToken}` },
  });
  if (answer.status === 401)
    return failed(
      'Bitbucket refuses a stored grant that has not expired (401)',
      'unlink and link its project',
    );
  if (answer.status !== 200 && answer.status !== 403)
    return skipped(`not known: Bitbucket answers ${answer.status}`, 'ask again later');
  const scopes = answer.header('x-oauth-scopes').match(/[^\s,]+/g) ?? [];
  const missing =
    answer.status === 403 ? ['account'] : scopes.length > 0 ? missingScopes(scopes) : [];
  if (missing.length > 0)
    return failed(
      `a grant lacks the scope ${missing.join(', ')}`,
      'add the permission to the consumer, then link the project again',
    );
  return ok(`Bitbucket takes a grant${scopes.length > 0 ? ', with all scopes' : ''}`);
}

/** From this part of the limit on, listings are about to be refused. */
const WARN_USAGE = 0.8;

async function budget({ server, redis: { redis } }: ServerTarget): Promise<Outcome> {
  const [[seconds = '0'], perMinute, refused] = await Promise.all([
    redis.time(),
    redis.hgetall(vcsKeys.calls(server)),
    redis.get(vcsKeys.rateLimited(server)),
  ]);
  const minute = Math.floor(Number(seconds) / 60);
  const spent = Object.entries(perMinute).reduce(
    (sum, [of, calls]) => (Math.abs(minute - Number(of)) <= 60 ? sum + Number(calls) : sum),
    0,
  );
  const limit = server.callsPerHour;
  const text = `${spent}${limit > 0 ? ` of ${limit}` : ''} calls in the last hour`;
  const fix = 'the guide has a chapter on the rate limit: VCS projects have a limit each';
  if (refused !== null)
    return warning(`${text}; Bitbucket refused some in the last 15 minutes`, fix);
  return limit > 0 && spent > WARN_USAGE * limit ? warning(text, fix) : ok(text);
}
