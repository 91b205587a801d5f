import { Agent } from 'node:https';
import { ForwardingAgent, isUntrusted, type ProxySettings, TunnelAgent } from '@cds/network';
import axios from 'axios';

const MAX_BYTES = 256 * 1024;
const TIMEOUT_MS = 10_000;

export interface Question {
  method?: string;
  url: string;
  signal: AbortSignal;
  headers?: Record<string, string>;
  body?: string;
  /** Takes any TLS certificate. */
  insecure?: boolean;
  proxies?: ProxySettings | undefined;
}

/** Any answer, whatever its status. Redirects are not followed. */
export interface Answer {
  status: number;
  text: string;
  /** Undefined where the body is no JSON. */
  json: unknown;
  /** A header's value; "" when absent. */
  header(name: string): string;
  /** By how much the clock there is ahead (ms), to a second; undefined without a `Date`. */
  aheadMs: number | undefined;
}

/** A URL that a path can be put after. */
export function withoutSlash(url: string): string {
  return url.replace(/(?<!\/)\/+$/, '');
}

/** @throws Error whose message says what to people, without the request */
export async function askUrl(question: Question): Promise<Answer> {
  const { url, proxies, insecure = false } = question;
  const proxy = proxies?.proxyFor(new URL(url));
  const tls = { rejectUnauthorized: !insecure };
  const began = Date.now();
  const response = await axios
    .request<ArrayBuffer>({
      ...{ method: question.method ?? 'GET', url, data: question.body, adapter: 'http' },
      headers: { 'User-Agent': 'cds-bitbucket-cloud', Accept: '*/*', ...question.headers },
      httpsAgent: proxy ? new TunnelAgent(proxy, tls) : new Agent(tls),
      ...(proxy && { httpAgent: new ForwardingAgent(proxy) }),
      ...{ proxy: false, maxRedirects: 0, timeout: TIMEOUT_MS, signal: question.signal },
      ...{ maxContentLength: MAX_BYTES, responseType: 'arraybuffer' },
      validateStatus: () => true,
    })
    .catch((error: unknown) => sentenceOf(error));
  // Not the error of axios, nor as a cause: it holds the request with its token.
  if (typeof response === 'string') throw new Error(response);
  const header = (name: string) => {
    const value: unknown = response.headers[name.toLowerCase()];
    return typeof value === 'string' ? value : '';
  };
  const text = Buffer.from(response.data).toString('utf8');
  return {
    ...{ status: response.status, text, json: jsonOf(text), header },
    aheadMs: aheadOf(Date.parse(header('date')), began, Date.now()),
  };
}

/** A `Date` has whole seconds, and was made at some time between both. */
function aheadOf(date: number, began: number, ended: number): number | undefined {
  if (Number.isNaN(date)) return undefined;
  if (date + 1_000 < began) return date + 1_000 - began;
  return date > ended ? date - ended : 0;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sentenceOf(error: unknown): string {
  const { code = '', cause } = error as { code?: string; cause?: unknown };
  if (isUntrusted(code)) return `its TLS certificate is not to be trusted (${code})`;
  if (cause instanceof Error && cause.name === 'ProxyError') return cause.message;
  const name: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
    ENOTFOUND: 'its name is not known to DNS (ENOTFOUND)',
    EAI_AGAIN: 'DNS does not answer (EAI_AGAIN)',
    ECONNABORTED: `no answer within ${TIMEOUT_MS / 1_000} s`,
    ERR_CANCELED: 'no answer in time',
    ECONNRESET: 'the connection was closed (ECONNRESET)',
  };
  return name[code] ?? (code || 'the connection failed');
}
