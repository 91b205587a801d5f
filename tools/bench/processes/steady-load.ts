import { Agent, request } from 'node:http';
import { percentile } from '../measure/statistics';
import { commitOf, type LoadedHook, signedPush } from './deliveries';

export interface SteadyOrder {
  url: string;
  /**
   * Deliveries go to them in turn, each hook's over a connection of its own choice, so that their
   * order is known.
   */
  hooks: LoadedHook[];
  connections: number;
  round: number;
  /** Deliveries a second, evenly spaced. */
  rate: number;
  /** At most; `endSteady` ends it before. */
  seconds: number;
}

/**
 * Milliseconds, each from the moment at which the delivery was handed over, whether its connection
 * was free or not.
 */
export interface SteadyReport {
  answered: number;
  refused: number;
  failed: number;
  p50: number;
  p99: number;
  worst: number;
  /**
   * How much later than planned deliveries were handed over: what the load itself, not the service,
   * was late.
   */
  late99: number;
}

let isEnded = false;

/** Lets the load that is under way send nothing more. */
export function endSteady(): void {
  isEnded = true;
}

/**
 * Sends at a set rate whatever the answers do: a service that halts is met by all that would have
 * come meanwhile. A load that waits for answers before it sends would not count those.
 */
export async function steady(order: SteadyOrder): Promise<SteadyReport> {
  const { hooks, connections, rate } = order;
  const { hostname, port } = new URL(order.url);
  // Each queues what comes while its one connection is busy.
  const agents = Array.from(
    { length: connections },
    () => new Agent({ keepAlive: true, maxSockets: 1 }),
  );
  const counts = { answered: 0, refused: 0, failed: 0 };
  const latencies: number[] = [];
  const lateness: number[] = [];
  const underWay = new Set<Promise<void>>();
  const planned = Math.floor(rate * order.seconds);

  function send(number: number): Promise<void> {
    const at = number % hooks.length;
    const hook = hooks[at] as LoadedHook;
    const hash = commitOf(order.round, at, Math.floor(number / hooks.length));
    const { headers, body } = signedPush(hook, hash);
    const began = performance.now();
    return new Promise((resolve) => {
      const failed = (): void => {
        counts.failed += 1;
        resolve();
      };
      request(
        {
          ...{ hostname, port, method: 'POST', path: `/webhook/${hook.uuid}` },
          headers: { ...headers, 'Content-Length': body.length },
          agent: agents[at % connections],
        },
        (response) => {
          response.resume().once('error', failed);
          response.once('end', () => {
            latencies.push(performance.now() - began);
            if (response.statusCode === 200) counts.answered += 1;
            else counts.refused += 1;
            resolve();
          });
        },
      )
        .once('error', failed)
        .end(body);
    });
  }

  isEnded = false;
  const began = performance.now();
  for (let sent = 0; sent < planned && !isEnded;) {
    const due = Math.min(planned, Math.floor(((performance.now() - began) * rate) / 1000) + 1);
    for (; sent < due; sent += 1) {
      lateness.push(performance.now() - began - (sent * 1000) / rate);
      const sending = send(sent);
      underWay.add(sending);
      void sending.then(() => underWay.delete(sending));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(underWay);
  for (const agent of agents) agent.destroy();
  return {
    ...counts,
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    worst: percentile(latencies, 100),
    late99: percentile(lateness, 99),
  };
}
