import { LRUCache } from 'lru-cache';
import { maxEntries } from '../max-entries';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { CdsError } from '@cds/wire';
import type { Logger } from '../logs/create-logger';
import { createAddressOf } from './address-of';
import { setCommonHeaders } from './common-headers';
import type { Callers } from './create-guard';
import { createFloodLog } from './flood-log';
import { sendJson } from './send-json';

/** Requests a second that an address may go on with: only the API has to send any. */
const PER_SECOND = 100;
/** Requests that it may send at once. */
const BURST = 500;
/** Addresses that are counted; beyond that the one that was quiet for longest starts again. */
const MAX_ADDRESSES = 10_000;

/**
 * Never refused, and counted apart: behind a load balancer probes have the address of a flood, and
 * a 429 would take the service out.
 */
const MONITORED = ['/mon/status', '/mon/version', '/mon/metrics'];

export interface LimitStrangersDeps {
  callers: Pick<Callers, 'isAllowed' | 'hasCredentials' | 'settled'>;
  /** Whether requests there are exempt from the limit, with any address. */
  isExempt?: (url: string) => boolean;
  trustedProxies: readonly string[];
  /** What counts as one address. */
  networkOf: (address: string) => string;
  logger: Logger;
  /** Only tests need others. */
  limits?: { perSecond: number; burst: number } | undefined;
}

/**
 * Bounds the work for callers other than the CDS API: beyond a rate each request
 * costs its address a connection, and is answered 429 before `app` sees it, unless it is
 * monitoring.
 */
export function limitStrangers(app: RequestListener, deps: LimitStrangersDeps): RequestListener {
  const { callers, isExempt, networkOf, limits = { perSecond: PER_SECOND, burst: BURST } } = deps;
  const warnOfFlood = createFloodLog(deps.logger);
  const addressOf = createAddressOf(deps.trustedProxies);
  const networks = new LRUCache<string, { left: number; at: number }>(maxEntries(MAX_ADDRESSES));
  /** Their other requests came in the same piece, and are never answered. */
  const ending = new WeakSet<Socket>();
  let isSettled = callers.settled === undefined;
  void callers.settled?.().then(() => (isSettled = true));

  /** The guard lets a new process learn who its callers are before it refuses anybody. */
  function isCaller(request: IncomingMessage): boolean {
    return (
      callers.isAllowed(request) || (!isSettled && (callers.hasCredentials?.(request) ?? false))
    );
  }

  /** @returns false when the network is over its rate for such questions */
  function take(network: string, monitored: string | undefined): boolean {
    const now = performance.now();
    const key = `${monitored ?? ''} ${network}`;
    const before = networks.get(key) ?? { left: limits.burst, at: now };
    const regained = ((now - before.at) * limits.perSecond) / 1000;
    const left = Math.min(limits.burst, before.left + regained);
    networks.set(key, { left: left < 1 ? left : left - 1, at: now });
    return left >= 1;
  }

  return (request, response) => {
    const { socket } = request;
    if (ending.has(socket)) return;
    if (isCaller(request) || isExempt?.(request.url ?? '')) return app(request, response);
    const monitored = monitoredPathOf(request);
    const network = networkOf(addressOf(request));
    if (take(network, monitored)) return app(request, response);
    ending.add(socket);
    warnOfFlood('strangers', limits.perSecond, { network });
    response.setHeader('Connection', 'close');
    if (monitored !== undefined) return app(request, response);
    setCommonHeaders(request, response);
    response.setHeader('Retry-After', '1');
    sendJson(response, 429, tooManyRequests().toBody());
  };
}

function monitoredPathOf({ method = '', url = '' }: IncomingMessage): string | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const [path] = url.split('?', 1);
  return MONITORED.find((one) => one === path);
}

function tooManyRequests(): CdsError {
  return new CdsError('tooManyRequests', {
    from: 'too many requests of this address without authentication',
  });
}
