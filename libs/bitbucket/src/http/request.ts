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
import type { RepeatRule } from '../routes';
import { agentsFor } from './agents';
import { BitbucketError } from './bitbucket-error';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

export interface HttpRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** For errors: method and route, no values. */
  call: string;
  repeat: RepeatRule;
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
  return withTimeout(ctx, settings.timeoutMs, async ({ signal }) => {
    try {
      const response = await start(request, settings, signal);
      const isRead = response.status < 300;
      const maxBytes = isRead ? MAX_ANSWER_BYTES : MAX_ERROR_BYTES;
      const { chunks, isTruncated } = await readBounded(response.data, maxBytes, signal);
      if (isTruncated && isRead) throw tooLarge(request.call, response.status);
      const body = Buffer.concat(chunks).subarray(0, maxBytes);
      return { status: response.status, header: headerReader(response), body };
    } catch (error) {
      if (error instanceof BitbucketError) throw error;
      if (signal.aborted) throw timedOut(request.call, settings.timeoutMs, ctx);
      throw unreachable(request.call, error);
    }
  });
}

function start(
  request: HttpRequest,
  settings: RequestSettings,
  signal: AbortSignal,
): Promise<AxiosResponse<Readable>> {
  const agents = agentsFor(request.repeat, request.url, settings.proxies);
  return axios.request<Readable>({
    adapter: 'http',
    method: request.method,
    url: request.url,
    headers: request.headers,
    data: request.body,
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

function tooLarge(call: string, status: number): BitbucketError {
  return new BitbucketError({
    kind: 'invalid-answer',
    call,
    status,
    bitbucketMessage: `the answer is larger than ${MAX_ANSWER_BYTES} bytes and was not read`,
  });
}

function timedOut(call: string, timeoutMs: number, ctx: CallContext): BitbucketError {
  if (ctx.signal.aborted) return outOfTime(call);
  return new BitbucketError({
    kind: 'timeout',
    call,
    bitbucketMessage: `no whole answer within ${timeoutMs} ms`,
  });
}

/** The caller does not wait any more. */
export function outOfTime(call: string): BitbucketError {
  return new BitbucketError({
    kind: 'timeout',
    call,
    bitbucketMessage: 'no answer before the time for this request ended',
  });
}

/** The original error is not kept as a cause: axios puts the request, with its token, into it. */
function unreachable(call: string, error: unknown): BitbucketError {
  const code = errorCode(error);
  if (isUntrusted(code)) {
    return new BitbucketError({
      kind: 'unreachable',
      call,
      bitbucketMessage: `the TLS certificate is not to be trusted (${code}): check apiUrl, oauthUrl and what stands in between; the certificate of a company's own proxy is trusted when NODE_EXTRA_CA_CERTS names its authority`,
      notSent: true,
      untrusted: true,
    });
  }
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof ProxyError) {
    const bitbucketMessage = `cannot be reached: ${cause.message}`;
    return new BitbucketError({ kind: 'unreachable', call, bitbucketMessage, notSent: true });
  }
  return new BitbucketError({
    kind: 'unreachable',
    call,
    bitbucketMessage: `cannot be reached, or the connection broke (${code})`,
    notSent: isNeverSent(error),
  });
}

function errorCode(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'connection error';
}
