import type { Readable } from 'node:stream';
import axios, { type AxiosResponse } from 'axios';
import {
  isNeverSent,
  isUntrusted,
  ProxyError,
  type ProxySettings,
  readBounded,
  withTimeout,
} from '@cds/network';
import type { CallContext } from '../client-types';
import { callName, type Route } from '../routes';
import { agentsFor } from './agents';
import { BitbucketError, invalidAnswer } from './bitbucket-error';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

export interface HttpRequest {
  route: Route;
  url: string;
  headers: Record<string, string>;
  body?: string | undefined;
}

export interface HttpAnswer {
  status: number;
  /** A header's value; '' when absent. */
  header(name: string): string;
  body: Buffer;
}

export interface RequestSettings {
  timeoutMs: number;
  proxies?: ProxySettings | undefined;
}

/**
 * One attempt. Any status is an answer. The body of an error or a redirect is cut at 64 KiB; more
 * than 16 MiB is refused. Redirects are not followed.
 */
export async function sendOnce(
  request: HttpRequest,
  settings: RequestSettings,
  ctx: CallContext,
): Promise<HttpAnswer> {
  const call = callName(request.route);
  return withTimeout(ctx, settings.timeoutMs, async ({ signal }) => {
    try {
      const response = await start(request, settings, signal);
      const { status } = response;
      const isRead = status < 300;
      const maxBytes = isRead ? MAX_ANSWER_BYTES : MAX_ERROR_BYTES;
      const { chunks, isTruncated } = await readBounded(response.data, maxBytes, signal);
      if (isTruncated && isRead)
        throw invalidAnswer(
          call,
          `the answer is larger than ${MAX_ANSWER_BYTES} bytes and was not read`,
          status,
        );
      const body = Buffer.concat(chunks).subarray(0, maxBytes);
      return { status, header: headerReader(response), body };
    } catch (error) {
      if (error instanceof BitbucketError) throw error;
      if (ctx.signal.aborted) throw outOfTime(call);
      if (signal.aborted) throw timedOut(call, `no whole answer within ${settings.timeoutMs} ms`);
      throw unreachable(call, error);
    }
  });
}

function start(
  { route, url, headers, body }: HttpRequest,
  { proxies }: RequestSettings,
  signal: AbortSignal,
): Promise<AxiosResponse<Readable>> {
  const agents = agentsFor(route.repeat, url, proxies);
  return axios.request<Readable>({
    adapter: 'http',
    method: route.method,
    url,
    headers,
    data: body,
    httpAgent: agents.http,
    httpsAgent: agents.https,
    // Its own way through proxies takes a refusal of the proxy for an answer of the server.
    proxy: false,
    maxRedirects: 0,
    responseType: 'stream',
    signal,
    transformRequest: (data: unknown) => data,
    validateStatus: () => true,
  });
}

function headerReader(response: AxiosResponse): (name: string) => string {
  return (name) => {
    const value: unknown = response.headers[name.toLowerCase()];
    return typeof value === 'string' ? value : '';
  };
}

/** The caller does not wait any more. */
export function outOfTime(call: string): BitbucketError {
  return timedOut(call, 'no answer before the time for this request ended');
}

function timedOut(call: string, bitbucketMessage: string): BitbucketError {
  return new BitbucketError({ kind: 'timeout', call, bitbucketMessage });
}

/** The original error is not kept as a cause: axios puts the request, with its token, into it. */
function unreachable(call: string, error: unknown): BitbucketError {
  const failure = (bitbucketMessage: string, notSent: boolean, untrusted = false) =>
    new BitbucketError({ kind: 'unreachable', call, bitbucketMessage, notSent, untrusted });
  const code = errorCode(error);
  if (isUntrusted(code))
    return failure(
      `the TLS certificate is not to be trusted (${code}): check apiUrl, oauthUrl and what ` +
        "stands in between; the certificate of a company's own proxy is trusted when " +
        'NODE_EXTRA_CA_CERTS names its authority',
      true,
      true,
    );
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof ProxyError) return failure(`cannot be reached: ${cause.message}`, true);
  const message = `cannot be reached, or the connection broke (${code})`;
  return failure(message, isNeverSent(error));
}

function errorCode(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'connection error';
}
