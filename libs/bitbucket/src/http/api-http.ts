import type * as z from 'zod';
import type { BitbucketCall, BitbucketClientOptions, CallContext } from '../client-types';
import { callName, type Route } from '../routes';
import { BitbucketError } from './bitbucket-error';
import { parseJsonAnswer } from './parse-json-answer';
import { refusalError } from './refusal';
import { type HttpAnswer, type HttpRequest, outOfTime, sendOnce } from './request';
import { withRetries } from './retry-policy';
import { expandTemplate, type PathValues, urlBelowApi } from './urls';

const MAX_REDIRECTS = 3;

/** The first is used; all, and what else Bitbucket saw that is secret, are kept out of errors. */
type Tokens = readonly [string, ...string[]];

type Outcome = Pick<BitbucketCall, 'status' | 'failure' | 'retryAfterSeconds' | 'callsPerHour'>;

export interface ApiCall {
  path: PathValues;
  query?: URLSearchParams;
  body?: unknown;
  /** Secrets of the body, which are kept out of errors, should Bitbucket repeat them. */
  secrets?: readonly string[];
}

export interface ApiAnswer {
  status: number;
  url: string;
  /** As it came. */
  body: Buffer;
  /** Throws `invalid-answer` when the body is not what `schema` takes. */
  read<T>(schema: z.ZodType<T>): T;
}

export type ApiHttp = ReturnType<typeof createApiHttp>;

/** Calls of routes, with a token, retries and errors. */
export function createApiHttp(o: BitbucketClientOptions) {
  const apiUrl = o.apiUrl.replace(/(?<!\/)\/+$/, '');
  const { user } = o.tokens;
  /** Of Basic, the pair has a spelling of its own. */
  const secretsOf = (tokens: Tokens): readonly string[] =>
    user === undefined ? tokens : [...tokens, `${user}:${tokens[0]}`];
  const settings = { timeoutMs: o.attemptTimeoutMs ?? 15_000, proxies: o.proxies };

  async function attempt(request: HttpRequest, tokens: Tokens, ctx: CallContext, isRetry: boolean) {
    const { route } = request;
    const headers = { ...request.headers, Authorization: authorizationOf(user, tokens[0]) };
    const startedAt = performance.now();
    const report = (outcome: Outcome) =>
      o.onCall?.({
        route: route.template,
        method: route.method,
        isRetry,
        durationMs: performance.now() - startedAt,
        ...outcome,
      });
    try {
      const answer = await sendOnce({ ...request, headers }, settings, ctx);
      if (answer.status >= 400) throw refusalError(callName(route), answer, secretsOf(tokens));
      report({ status: answer.status, callsPerHour: callsPerHourOf(answer) });
      return answer;
    } catch (error) {
      report(outcomeOf(error, ctx));
      throw error;
    }
  }

  function sendWithToken(request: HttpRequest, tokens: Tokens, ctx: CallContext) {
    const { route } = request;
    const retries = {
      repeat: route.repeat,
      firstPauseMs: o.firstPauseMs ?? 1_000,
      onRetry({ kind, status, bitbucketMessage }: BitbucketError, pauseMs: number) {
        o.logger?.info(
          { call: callName(route), kind, status, bitbucketMessage, pauseMs },
          'Bitbucket call failed: trying again',
        );
      },
    };
    return withRetries(retries, ctx, (isRetry) => attempt(request, tokens, ctx, isRetry));
  }

  /** Follows redirects of reads, a few and below apiUrl only. */
  async function sendFollowing(
    request: HttpRequest,
    tokens: Tokens,
    ctx: CallContext,
  ): Promise<ApiAnswer> {
    const call = callName(request.route);
    let { url } = request;
    for (let hops = 0; ; hops += 1) {
      const answer = await sendWithToken({ ...request, url }, tokens, ctx);
      const { status, body } = answer;
      if (status < 300) return { status, url, body, read: parseJsonAnswer(call, answer) };
      const location = answer.header('location');
      if (request.route.method !== 'GET' || location === '' || hops === MAX_REDIRECTS)
        throw refusalError(call, answer, secretsOf(tokens));
      url = urlBelowApi(apiUrl, location, url, call);
    }
  }

  /** A 401 did nothing, so that writes too are sent again with the new token. */
  async function send(request: HttpRequest, ctx: CallContext, secrets: readonly string[] = []) {
    if (ctx.signal.aborted) throw outOfTime(callName(request.route));
    const token = await o.tokens.current(ctx);
    try {
      return await sendFollowing(request, [token, ...secrets], ctx);
    } catch (error) {
      if (!(error instanceof BitbucketError) || error.status !== 401) throw error;
      const renewed = await o.tokens.renew(token, ctx, error);
      return sendFollowing(request, [renewed, token, ...secrets], ctx);
    }
  }

  function call(route: Route, { path, query, body, secrets }: ApiCall, ctx: CallContext) {
    const search = query === undefined || query.size === 0 ? '' : `?${query.toString()}`;
    const url = `${apiUrl}${expandTemplate(route.template, path, callName(route))}${search}`;
    return send(newRequest(route, url, body), ctx, secrets);
  }

  return {
    logger: o.logger,
    call,
    async read<T>(route: Route, path: PathValues, schema: z.ZodType<T>, ctx: CallContext) {
      return (await call(route, { path }, ctx)).read(schema);
    },
    /** Reads a further page at a URL that Bitbucket gave. */
    follow(route: Route, url: string, current: string, ctx: CallContext) {
      return send(newRequest(route, urlBelowApi(apiUrl, url, current, callName(route))), ctx);
    },
  };
}

function authorizationOf(user: string | undefined, token: string): string {
  if (user === undefined) return `Bearer ${token}`;
  return `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
}

/**
 * The limit that Bitbucket tells access tokens of its API; those of other resources are ignored.
 * https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/
 */
function callsPerHourOf(answer: HttpAnswer): number | undefined {
  const limit = answer.header('x-ratelimit-limit');
  const resource = answer.header('x-ratelimit-resource');
  const isOfApi = resource === '' || resource === 'api';
  return isOfApi && /^[1-9]\d{0,6}$/.test(limit) ? Number(limit) : undefined;
}

function outcomeOf(error: unknown, ctx: CallContext): Outcome {
  if (!(error instanceof BitbucketError)) return { failure: 'unreachable' };
  const { kind, status, retryAfterSeconds } = error;
  if (kind === 'answer') return { status, retryAfterSeconds };
  return { status, failure: kind === 'timeout' && ctx.signal.aborted ? 'abandoned' : kind };
}

function newRequest(route: Route, url: string, body?: unknown): HttpRequest {
  const headers: Record<string, string> = {
    Accept: route.accept ?? 'application/json',
    'User-Agent': 'cds-bitbucket-cloud',
  };
  if (body === undefined) return { route, url, headers };
  headers['Content-Type'] = 'application/json';
  return { route, url, headers, body: JSON.stringify(body) };
}
