import type { z } from 'zod';
import type {
  AccessTokenSource,
  BitbucketCall,
  BitbucketClientOptions,
  BitbucketLogger,
  CallContext,
} from '../client-types';
import type { Route } from '../routes';
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
  /** Size of the body. */
  bytes: number;
  /** As it came. */
  body: Buffer;
  /** Throws `invalid-answer` when the body is not what `schema` takes. */
  read<T>(schema: z.ZodType<T>): T;
}

/** Calls of routes, with a token, retries and errors. */
export interface ApiHttp {
  logger: BitbucketLogger | undefined;
  call(route: Route, o: ApiCall, ctx: CallContext): Promise<ApiAnswer>;
  /** Reads a further page at a URL that Bitbucket gave. */
  follow(route: Route, url: string, current: string, ctx: CallContext): Promise<ApiAnswer>;
}

export function createApiHttp(o: BitbucketClientOptions): ApiHttp {
  const apiUrl = o.apiUrl.replace(/(?<!\/)\/+$/, '');
  const { user } = o.tokens;
  /** Of Basic, the pair has a spelling of its own. */
  const secretsOf = (tokens: Tokens): readonly string[] =>
    user === undefined ? tokens : [...tokens, `${user}:${tokens[0]}`];
  const settings = { timeoutMs: o.attemptTimeoutMs ?? 15_000, proxies: o.proxies };

  async function attempt(
    route: Route,
    request: HttpRequest,
    tokens: Tokens,
    ctx: CallContext,
    isRetry: boolean,
  ): Promise<HttpAnswer> {
    const headers = { ...request.headers, Authorization: authorizationOf(o.tokens, tokens[0]) };
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
      if (answer.status >= 400) throw refusalError(request.call, answer, secretsOf(tokens));
      report({ status: answer.status, callsPerHour: callsPerHourOf(answer) });
      return answer;
    } catch (error) {
      report(outcomeOf(error, ctx));
      throw error;
    }
  }

  function sendWithToken(
    route: Route,
    request: HttpRequest,
    tokens: Tokens,
    ctx: CallContext,
  ): Promise<HttpAnswer> {
    const retries = {
      repeat: route.repeat,
      firstPauseMs: o.firstPauseMs ?? 1_000,
      onRetry(failure: BitbucketError, pauseMs: number) {
        const { kind, status, bitbucketMessage } = failure;
        o.logger?.info(
          { call: request.call, kind, status, bitbucketMessage, pauseMs },
          'Bitbucket call failed: trying again',
        );
      },
    };
    let attempts = 0;
    return withRetries(retries, ctx, () => {
      attempts += 1;
      return attempt(route, request, tokens, ctx, attempts > 1);
    });
  }

  /** Follows redirects of reads, a few and below apiUrl only. */
  async function sendFollowing(
    route: Route,
    request: HttpRequest,
    tokens: Tokens,
    ctx: CallContext,
  ): Promise<ApiAnswer> {
    let { url } = request;
    for (let hops = 0; ; hops += 1) {
      const answer = await sendWithToken(route, { ...request, url }, tokens, ctx);
      const { status, body } = answer;
      if (status < 300) {
        return {
          status,
          url,
          bytes: body.length,
          body,
          read: parseJsonAnswer(request.call, answer),
        };
      }
      if (route.method !== 'GET' || answer.header('location') === '' || hops === MAX_REDIRECTS) {
        throw refusalError(request.call, answer, secretsOf(tokens));
      }
      url = urlBelowApi(apiUrl, answer.header('location'), url, request.call);
    }
  }

  /** A 401 did nothing, so that writes too are sent again with the new token. */
  async function send(
    route: Route,
    request: HttpRequest,
    ctx: CallContext,
    secrets: readonly string[] = [],
  ): Promise<ApiAnswer> {
    if (ctx.signal.aborted) throw outOfTime(request.call);
    const token = await o.tokens.current(ctx);
    try {
      return await sendFollowing(route, request, [token, ...secrets], ctx);
    } catch (error) {
      if (!(error instanceof BitbucketError) || error.status !== 401) throw error;
      const renewed = await o.tokens.renew(token, ctx, error);
      return sendFollowing(route, request, [renewed, token, ...secrets], ctx);
    }
  }

  return {
    logger: o.logger,
    call(route, { path, query, body, secrets }, ctx) {
      const search = query === undefined || query.size === 0 ? '' : `?${query.toString()}`;
      const url = `${apiUrl}${expandTemplate(route.template, path, callName(route))}${search}`;
      return send(route, newRequest(route, url, body), ctx, secrets);
    },
    follow(route, url, current, ctx) {
      const next = urlBelowApi(apiUrl, url, current, callName(route));
      return send(route, newRequest(route, next), ctx);
    },
  };
}

function authorizationOf({ user }: AccessTokenSource, token: string): string {
  return user === undefined ? `Bearer ${token}` : `Basic ${base64(`${user}:${token}`)}`;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
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

/** For errors and the log: without any value. */
export function callName(route: Route): string {
  return `${route.method} ${route.template}`;
}

function newRequest(route: Route, url: string, body?: unknown): HttpRequest {
  const headers: Record<string, string> = {
    Accept: route.accept ?? 'application/json',
    'User-Agent': 'cds-bitbucket-cloud',
  };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return {
    method: route.method,
    url,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    call: callName(route),
    repeat: route.repeat,
  };
}
