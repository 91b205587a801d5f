import axios, { AxiosHeaders, type AxiosPromise, type InternalAxiosRequestConfig } from 'axios';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { isTooComplex, isUntrusted, readBounded, withTimeout } from '@cds/network';

/** Answers to a run hold the whole workflow; nothing the API says is near this size. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
/** A hundred thousand hooks of a kilobyte each, and some more. */
const MAX_LIST_BYTES = 128 * 1024 * 1024;
/** A workflow has a value for about every ten bytes; what has more becomes far larger in memory. */
const MAX_VALUES = 4_000_000;
/** A page says what it is at its beginning. */
const PAGE_START_BYTES = 1_024;
/** Idle connections are closed before the other side does so, and a call meets a closed one. */
const IDLE_CONNECTION_MS = 10_000;
/**
 * What axios sets for each request. Were Node's agent to set another one after each, both would ask
 * the kernel every time.
 */
const KEEP_ALIVE_PROBE_MS = 60_000;

/** As axios sends it. */
const ACCEPT = { Accept: 'application/json, text/plain, */*' };

export interface HttpCall {
  method: 'GET' | 'POST' | 'DELETE';
  /** Below the API's URL, already escaped. */
  path: string;
  headers: Record<string, string>;
  body?: unknown;
  /** Milliseconds for the whole call, the reading of the answer included. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** For a long list: the body of a 2xx is not parsed but handed over in pieces. */
  inPieces?: boolean;
}

export interface HttpAnswer {
  status: number;
  /** The parsed JSON; undefined when the body could not be read whole or is no JSON. */
  json: unknown;
  /** The body of a 2xx to a call that wants it so; undefined when it could not be read whole. */
  pieces?: Buffer[] | undefined;
  /** Whether it is a web page, of what stands between us and the API (maintenance, login). */
  isPage: boolean;
  /** By their names in lower case. */
  headers: Record<string, unknown>;
}

/** No status was received. */
export class NoAnswerError extends Error {
  override readonly name: string = 'NoAnswerError';
}

/** No connection came about, so that nothing was sent. */
export class NotSentError extends NoAnswerError {
  override readonly name = 'NotSentError';
}

/**
 * Calls one server over kept connections. Redirects are not followed, proxies of the environment
 * not used.
 */
export function createHttpSender(o: { url: string; insecure: boolean }) {
  const kept = {
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_PROBE_MS,
    timeout: IDLE_CONNECTION_MS,
  };
  const httpAgent = new HttpAgent(kept);
  const httpsAgent = new HttpsAgent({ ...kept, rejectUnauthorized: !o.insecure });
  const { transitional } = axios.defaults;
  const perform = axios.getAdapter('http') as Perform;
  const common = {
    ...(transitional && { transitional }),
    baseURL: o.url,
    httpAgent,
    httpsAgent,
    proxy: false,
    maxRedirects: 0,
    responseType: 'stream',
    validateStatus: () => true,
  } satisfies Partial<InternalAxiosRequestConfig>;
  return {
    /** @throws NoAnswerError; NotSentError when nothing was sent, either */
    send: (call: HttpCall) => send((request) => perform({ ...common, ...request }), call),
    close(): void {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

/**
 * axios' adapter alone: what comes before it, the merging of its defaults into each request, took a
 * fifth of the CPU time of a run.
 */
type Perform = (request: InternalAxiosRequestConfig) => AxiosPromise<Readable>;

async function send(perform: Perform, call: HttpCall): Promise<HttpAnswer> {
  call.signal?.throwIfAborted();
  // As bytes, which pass through as they are. A failure here is not the API's.
  const data = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  const outer = call.signal && { signal: call.signal };
  return withTimeout(outer, call.timeoutMs, async ({ signal }) => {
    try {
      const answer = await perform({
        method: call.method,
        url: call.path,
        headers: new AxiosHeaders({ ...ACCEPT, ...call.headers }),
        data,
        signal,
      });
      const { status, headers, data: body } = answer;
      const inPieces = call.inPieces === true && status >= 200 && status < 300;
      return { status, headers, ...(await readBody(body, signal, inPieces)) };
    } catch (error) {
      call.signal?.throwIfAborted();
      // Without its cause: axios's error holds the request, and with it the token.
      if (signal.aborted) throw new NoAnswerError(`no answer within ${call.timeoutMs} ms`);
      const reason = describe(error);
      throw isNotSent(error) ? new NotSentError(reason) : new NoAnswerError(reason);
    }
  });
}

/** Without JSON and pieces when the body broke off or is too large. */
async function readBody(
  body: Readable,
  signal: AbortSignal,
  inPieces: boolean,
): Promise<Pick<HttpAnswer, 'json' | 'pieces' | 'isPage'>> {
  const maxBytes = inPieces ? MAX_LIST_BYTES : MAX_ANSWER_BYTES;
  const read = await readBounded(body, maxBytes, signal).catch(() => undefined);
  if (!read || read.isTruncated) return { json: undefined, isPage: false };
  const { chunks: pieces } = read;
  const isPage = /^\s*</.test(Buffer.concat(pieces, PAGE_START_BYTES).toString('latin1'));
  if (inPieces) return { json: undefined, pieces, isPage };
  const text = Buffer.concat(pieces);
  if (isPage || isTooComplex(text, MAX_VALUES)) return { json: undefined, isPage };
  try {
    return { json: JSON.parse(text.toString('utf8')), isPage };
  } catch {
    return { json: undefined, isPage };
  }
}

/** Errors of connecting alone. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);
const CONNECTING = new Set(['connect', 'getaddrinfo']);

/** Whether no connection was made, or none to trust; several addresses have several errors. */
function isNotSent(error: unknown): boolean {
  const { code, syscall, errors, cause } = error as NodeJS.ErrnoException & { errors?: unknown[] };
  if (isUntrusted(code) || NOT_CONNECTED.has(code ?? '')) return true;
  if (CONNECTING.has(syscall ?? '')) return true;
  if (errors && errors.length > 0) return errors.every(isNotSent);
  // axios hides Node's error behind its own.
  return typeof cause === 'object' && cause !== null && isNotSent(cause);
}

/** Only the reason. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code } = error as NodeJS.ErrnoException;
  if (isUntrusted(code))
    return (
      `${error.message}: its TLS certificate is not to be trusted; start the service with ` +
      'NODE_EXTRA_CA_CERTS naming the authority that signed it, or, for tests, set ' +
      'api.http.insecure = true'
    );
  if (error.message) return error.message;
  // Node gives several attempts (IPv6, IPv4) an empty message.
  return code ?? error.name;
}
