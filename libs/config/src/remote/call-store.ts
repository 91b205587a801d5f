import axios from 'axios';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import {
  ForwardingAgent,
  isTooComplex,
  isUntrusted,
  type ProxySettings,
  readBounded,
  TunnelAgent,
  withTimeout,
} from '@cds/network';
import { RemoteConfigError, type RemoteSource } from './remote-sources';

/** For one call, its answer included. */
const TIMEOUT_MS = 10_000;
/** A configuration of the most that a file may have (1 MiB), in base64 or with all its escapes. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const MAX_VALUES = 10_000;

/** GETs a path of one store. */
export type CallStore = (path: string) => Promise<StoreAnswer>;

export interface StoreAnswer {
  status: number;
  /** The parsed body; undefined where it is no JSON. */
  json: unknown;
}

/**
 * GETs `path` of Vault or Consul. Redirects are not followed: the token is for this address alone.
 * @returns the answer below 500
 * @throws RemoteConfigError without the token, and without anything of the answer
 */
export async function callStore(
  source: RemoteSource,
  path: string,
  proxies: ProxySettings,
): Promise<StoreAnswer> {
  const proxy = proxies.proxyFor(new URL(source.url));
  const httpAgent = proxy ? new ForwardingAgent(proxy) : new HttpAgent();
  // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
  const verified = { rejectUnauthorized: true };
  const httpsAgent = proxy ? new TunnelAgent(proxy, verified) : new HttpsAgent(verified);
  const fail = (reason: string, mayPass: boolean) =>
    new RemoteConfigError(`${source.kind} at ${source.url} ${reason}`, mayPass);

  const { status, body } = await withTimeout(undefined, TIMEOUT_MS, async ({ signal }) => {
    try {
      const answer = await axios.get<Readable>(`${source.url}/v1/${path}`, {
        ...{ headers: headersOf(source), httpAgent, httpsAgent, signal },
        ...{ proxy: false, maxRedirects: 0, responseType: 'stream', validateStatus: () => true },
      });
      const bounded = await readBounded(answer.data, MAX_ANSWER_BYTES, signal);
      return { status: answer.status, body: bounded };
    } catch (error) {
      if (signal.aborted) throw fail(`does not answer within ${TIMEOUT_MS / 1_000} s`, true);
      throw failure(error, fail);
    }
  });
  if (status >= 300 && status < 400)
    throw fail(`answers with a redirect (${status}): name the address that it leads to`, false);
  if (status === 429 || status >= 500)
    throw fail(`cannot answer now (${status}): see whether it is sealed or has no leader`, true);
  if (body.isTruncated) throw fail(`answers with more than ${MAX_ANSWER_BYTES} bytes`, false);
  return { status, json: parse(Buffer.concat(body.chunks)) };
}

function headersOf({ kind, token, namespace }: RemoteSource): Record<string, string> {
  if (kind === 'Consul') return token === undefined ? {} : { 'X-Consul-Token': token };
  return {
    'X-Vault-Token': token ?? '',
    // Proxies of Vault's agent want it, against requests that a browser is made to send.
    'X-Vault-Request': 'true',
    ...(namespace === undefined ? {} : { 'X-Vault-Namespace': namespace }),
  };
}

/** Only the reason: errors of axios hold the request, and with it the token. */
function failure(error: unknown, fail: (reason: string, mayPass: boolean) => Error): Error {
  const { code = 'unknown error', message } = error as NodeJS.ErrnoException;
  if (isUntrusted(code))
    return fail(
      `has a TLS certificate that is not to be trusted (${code}): name the authority that signed it in NODE_EXTRA_CA_CERTS`,
      false,
    );
  if (code === 'EPROXY') return fail(`cannot be reached: ${message}`, true);
  return fail(`cannot be reached (${code})`, true);
}

function parse(text: Buffer): unknown {
  if (isTooComplex(text, MAX_VALUES)) return undefined;
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}
