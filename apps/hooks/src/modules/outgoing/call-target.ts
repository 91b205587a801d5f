import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import {
  type ProxyServer,
  type ProxySettings,
  TunnelAgent,
  type TargetGuard,
  TargetRefusedError,
} from '@cds/network';
import {
  CallFailedError,
  firstHop,
  headersOf,
  type Hop,
  nextHop,
  redirectOf,
  type TargetRequest,
} from './target-request';

export interface TargetAnswer {
  status: number;
  /** The last request and its response, for the log. */
  request: Dump;
  response: Dump;
}

export interface Dump {
  /** First line and headers. */
  head: string;
  body: string;
  isCut: boolean;
}

export interface CallBounds {
  timeoutMs: number;
  maxRedirects: number;
  maxRequestBytes: number;
  maxLogBytes: number;
}

const MAX_HEADER_BYTES = 32 * 1024;

/**
 * Calls the target of an outgoing webhook and follows redirects, each checked like the target
 * itself. No connection or cookie outlives a call. No answer is decompressed.
 *
 * @throws CallFailedError
 */
export function createCallTarget(deps: {
  guard: TargetGuard;
  bounds: CallBounds;
  proxies?: ProxySettings | undefined;
}) {
  const { guard, bounds, proxies } = deps;

  return async function callTarget(
    request: TargetRequest,
    signal: AbortSignal,
  ): Promise<TargetAnswer> {
    let hop = firstHop(request, bounds.maxRequestBytes);
    const until = AbortSignal.timeout(bounds.timeoutMs);
    const abort = new AbortController();
    const stop = (): void => abort.abort();
    for (const ended of [until, signal]) ended.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      for (let redirects = 0; ; redirects++) {
        const proxy = proxies?.proxyFor(hop.url);
        await (proxy ? guard.checkBehindProxy(hop.url) : guard.check(hop.url));
        const answer = await send(hop, proxy, abort.signal);
        if (proxy && answer.statusCode === 407) throw proxyRefuses(proxy);
        const location = redirectOf(answer);
        if (location === undefined) return await read(hop, answer, abort.signal);
        answer.destroy();
        if (redirects >= bounds.maxRedirects) {
          throw new CallFailedError(
            `the target redirects more than ${bounds.maxRedirects} times ` +
              '(hooks.outgoing.maxRedirects)',
            false,
          );
        }
        hop = nextHop(hop, answer.statusCode ?? 0, location);
      }
    } catch (error) {
      throw failureOf(error, until);
    } finally {
      for (const ended of [until, signal]) ended.removeEventListener('abort', stop);
    }
  };

  function failureOf(error: unknown, until: AbortSignal): CallFailedError {
    if (error instanceof CallFailedError) return error;
    if (error instanceof TargetRefusedError) {
      return new CallFailedError(`the target is refused: ${error.message}`, true);
    }
    if (until.aborted) {
      return new CallFailedError(
        `the target did not answer within ${bounds.timeoutMs / 1_000} s`,
        false,
      );
    }
    const reason = error instanceof Error ? error.message || error.name : String(error);
    return new CallFailedError(`the target cannot be called: ${reason}`, false);
  }

  function send(
    hop: Hop,
    proxy: ProxyServer | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const isTls = hop.url.protocol === 'https:';
    const common = {
      method: hop.method,
      headers: headersOf(hop),
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
    };
    return new Promise((resolve, reject) => {
      const request =
        proxy && !isTls
          ? requestThroughProxy(hop.url, proxy, common)
          : (isTls ? httpsRequest : httpRequest)(hop.url, {
              ...common,
              agent: proxy ? new TunnelAgent(proxy) : isTls ? new HttpsAgent() : new HttpAgent(),
              lookup: guard.lookup,
            });
      request.once('response', resolve);
      request.once('error', reject);
      request.once('upgrade', (_answer, socket) => {
        socket.destroy();
        reject(new CallFailedError('the target switches to another protocol', true));
      });
      request.end(hop.body);
    });
  }

  /** Reads no more than the log shows. */
  async function read(
    hop: Hop,
    answer: IncomingMessage,
    signal: AbortSignal,
  ): Promise<TargetAnswer> {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (): void => void answer.destroy();
    signal.addEventListener('abort', end, { once: true });
    try {
      for await (const chunk of answer) {
        chunks.push(chunk as Buffer);
        size += (chunk as Buffer).length;
        if (size > bounds.maxLogBytes) break;
      }
    } finally {
      signal.removeEventListener('abort', end);
      answer.destroy();
    }
    return {
      status: answer.statusCode ?? 0,
      request: dump(requestHead(hop), hop.body),
      response: dump(responseHead(answer), Buffer.concat(chunks)),
    };
  }

  function dump(head: string, body: Buffer): Dump {
    const shown = body.subarray(0, bounds.maxLogBytes);
    return { head, body: shown.toString(), isCut: shown.length < body.length };
  }
}

/** A proxy gets the whole http URL. */
function requestThroughProxy(
  url: URL,
  proxy: ProxyServer,
  {
    headers,
    ...common
  }: Pick<RequestOptions, 'method' | 'maxHeaderSize' | 'signal'> & {
    headers: Record<string, string>;
  },
): ClientRequest {
  // The author of a workflow must not choose the user of the proxy.
  const others = Object.entries(headers).filter(
    ([name]) => name.toLowerCase() !== 'proxy-authorization',
  );
  const own = proxy.authorization;
  return (proxy.isTls ? httpsRequest : httpRequest)({
    ...common,
    host: proxy.host,
    port: proxy.port,
    agent: false,
    path: `${url.origin}${url.pathname}${url.search}`,
    headers: {
      ...Object.fromEntries(others),
      ...(own === undefined ? {} : { 'Proxy-Authorization': own }),
    },
  });
}

function proxyRefuses({ name, variable }: ProxyServer): CallFailedError {
  return new CallFailedError(
    `the proxy ${name} (${variable}) wants another user or password (407)`,
    false,
  );
}

function requestHead(hop: Hop): string {
  const lines = Object.entries(headersOf(hop)).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${hop.method} ${hop.url.pathname}${hop.url.search} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

function responseHead({
  statusCode,
  statusMessage,
  rawHeaders,
  httpVersion,
}: IncomingMessage): string {
  let head = `HTTP/${httpVersion} ${statusCode} ${statusMessage ?? ''}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2)
    head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  return `${head}\r\n`;
}
