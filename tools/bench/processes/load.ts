// Sends pushes as Bitbucket does, over connections that stay, and says how many were answered how
// and how fast: `load` as fast as it goes, `steady` at a set rate (autocannon's rates send a
// second's share at once, and then pause).
import autocannon from 'autocannon';
import { answerParent } from './answer-parent';
import { commitOf, type LoadedHook, signedPush } from './deliveries';
import { endSteady, steady } from './steady-load';

export interface LoadOrder {
  url: string;
  /**
   * Each connection sends to hooks of its own, so that the order of each hook's deliveries is
   * known.
   */
  hooks: LoadedHook[];
  connections: number;
  /** How many deliveries in all, divided by the number of connections. */
  amount: number;
  round: number;
  /** True when not given. */
  isSigned?: boolean;
}

export interface LoadReport {
  answered: number;
  refused: number;
  failed: number;
  seconds: number;
  perSecond: number;
  p50: number;
  p99: number;
  worst: number;
  /** Of each hook, how many were sent. */
  sent: number[];
}

async function load(order: LoadOrder): Promise<LoadReport> {
  const { hooks, connections, round, isSigned = true } = order;
  const sent = hooks.map(() => 0);
  let clients = 0;
  const latencies: number[] = [];
  const began = performance.now();
  let ended = began;
  const options: autocannon.Options = {
    url: order.url,
    connections,
    amount: order.amount,
    timeout: 60,
    setupClient(client) {
      // Hooks i, i + connections, … are this connection's own.
      const first = clients % hooks.length;
      clients += 1;
      let next = first;
      const setupRequest = (request: autocannon.Request): autocannon.Request => {
        const at = next;
        next = at + connections < hooks.length ? at + connections : first;
        const hook = hooks[at] as LoadedHook;
        const number = sent[at] ?? 0;
        sent[at] = number + 1;
        const { headers, body } = signedPush(hook, commitOf(round, at, number));
        if (!isSigned) delete headers['X-Hub-Signature'];
        return { ...request, method: 'POST', path: `/webhook/${hook.uuid}`, headers, body };
      };
      client.setRequests([{ setupRequest } as autocannon.Request]);
    },
  };
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon(options, (error: unknown, done) =>
      error ? reject(error as Error) : resolve(done),
    );
    running.on('response', (_client, _status, _bytes, ms) => {
      latencies.push(ms);
      ended = performance.now();
    });
  });
  const seconds = (ended - began) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (part: number): number => latencies[Math.floor((latencies.length - 1) * part)] ?? 0;
  return {
    answered: result['2xx'],
    refused: result.non2xx,
    failed: result.errors,
    seconds,
    perSecond: result['2xx'] / seconds,
    p50: at(0.5),
    p99: at(0.99),
    worst: at(1),
    sent,
  };
}

answerParent({ load, steady, endSteady });
