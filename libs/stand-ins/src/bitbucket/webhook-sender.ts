import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RequestTimeoutError, sendRequest } from '../http/send-request';
import type { Json, Repository, Webhook } from './model';

/** One attempt to deliver. */
export interface Attempt {
  number: number;
  at: string;
  /** The status of the answer, TIMEOUT, or why there was no connection. */
  outcome: number | 'TIMEOUT' | string;
  durationMs: number;
  /** The beginning of the answer. */
  answer: string;
}

/** One event sent to one webhook. */
export interface Delivery {
  repository: string;
  webhook: string;
  url: string;
  event: string;
  requestUuid: string;
  /** It was sent before; its id stayed the same. */
  resent: boolean;
  headers: Record<string, string>;
  body: string;
  /** Too large a payload is not sent, and nobody is told. */
  dropped: boolean;
  attempts: Attempt[];
}

export interface WebhookSenderOptions {
  /** Bitbucket gives a receiver 10 s. */
  timeoutMs: number;
  /** Pause before each further attempt; Bitbucket does not say how long it is. */
  retryPauseMs: number;
}

export interface WebhookSender {
  /**
   * Sends an event to every active webhook that asked for it. Resolves when the last attempt is
   * over.
   */
  send(repository: Repository, event: string, payload: Json): Promise<Delivery[]>;
  /** Sends a delivery once more, as its "Resend" button does. */
  resend(delivery: Delivery): Promise<Delivery>;
  /** Newest last. */
  history(): Delivery[];
  /** Told of each attempt when it is over. */
  onAttempt(listener: (delivery: Delivery, attempt: Attempt) => void): void;
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>;
  stop(): void;
}

const MAX_ATTEMPTS = 3;
const MAX_PAYLOAD = 256 * 1024;
const HISTORY = 1_000;

/**
 * Sends deliveries as Bitbucket Cloud does: signed if there is a secret, three attempts on 5xx, no
 * redirects.
 */
export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  const history: Delivery[] = [];
  const underWay = new Set<Promise<unknown>>();
  const stopped = new AbortController();
  const listeners: ((delivery: Delivery, attempt: Attempt) => void)[] = [];

  async function attempt(delivery: Delivery, number: number): Promise<Attempt> {
    const started = performance.now();
    const at = new Date().toISOString();
    const done = (outcome: Attempt['outcome'], answer = ''): Attempt => ({
      number,
      at,
      outcome,
      durationMs: Math.round(performance.now() - started),
      answer: answer.slice(0, 1_000),
    });
    try {
      const { status, text } = await sendRequest({
        method: 'POST',
        url: delivery.url,
        headers: { ...delivery.headers, 'X-Attempt-Number': String(number) },
        body: delivery.body,
        timeoutMs: options.timeoutMs,
      });
      return done(status, text);
    } catch (error) {
      return done(error instanceof RequestTimeoutError ? 'TIMEOUT' : String(error));
    }
  }

  async function deliver(delivery: Delivery): Promise<Delivery> {
    for (let number = 1; number <= MAX_ATTEMPTS && !stopped.signal.aborted; number += 1) {
      if (number > 1)
        await sleep(options.retryPauseMs, undefined, { signal: stopped.signal }).catch(
          () => undefined,
        );
      const made = await attempt(delivery, number);
      delivery.attempts.push(made);
      for (const listener of listeners) listener(delivery, made);
      const serverFailed = typeof made.outcome === 'number' && made.outcome >= 500;
      if (!serverFailed) break;
    }
    return delivery;
  }

  function start(delivery: Delivery): Promise<Delivery> {
    history.push(delivery);
    if (history.length > HISTORY) history.shift();
    if (delivery.dropped) return Promise.resolve(delivery);
    const sending = deliver(delivery);
    underWay.add(sending);
    void sending.finally(() => underWay.delete(sending));
    return sending;
  }

  return {
    send(repository, event, payload) {
      const body = JSON.stringify(payload);
      const wanted = [...repository.webhooks.values()].filter(
        ({ active, events }) => active && events.includes(event),
      );
      return Promise.all(wanted.map((hook) => start(deliveryOf(repository, hook, event, body))));
    },
    resend: (delivery) => start({ ...delivery, resent: true, attempts: [] }),
    onAttempt: (listener) => void listeners.push(listener),
    history: () => [...history],
    async idle() {
      while (underWay.size) await Promise.all(underWay);
    },
    stop: () => stopped.abort(),
  };
}

function deliveryOf(repository: Repository, hook: Webhook, event: string, body: string): Delivery {
  const requestUuid = randomUUID();
  return {
    repository: repository.fullName,
    webhook: hook.uuid,
    url: hook.url,
    event,
    requestUuid,
    resent: false,
    body,
    dropped: Buffer.byteLength(body) > MAX_PAYLOAD,
    attempts: [],
    headers: {
      'Content-Type': 'application/json',
      'User-Agent': 'Bitbucket-Webhooks/2.0',
      'X-Event-Key': event,
      'X-Hook-UUID': hook.uuid.replace(/[{}]/g, ''),
      'X-Request-UUID': requestUuid,
      'X-Event-Time': new Date().toUTCString(),
      ...(hook.secret
        ? {
            'X-Hub-Signature': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`,
          }
        : {}),
    },
  };
}
