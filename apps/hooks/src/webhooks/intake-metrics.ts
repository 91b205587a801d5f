import { countFromZero, type Metrics } from '@cds/service';
import type { MonitoringLine } from '@cds/wire';
import type { RefusalReason } from './refusal';

/** The result of a request to a webhook. */
export type IntakeResult =
  | 'accepted'
  | 'ignored'
  | 'duplicate'
  | RefusalReason
  /** Redis did not confirm that it is stored: 503. */
  | 'unavailable'
  /** The sender went away before the end of the body. */
  | 'broken_off'
  /** A bug: 500. */
  | 'failed';

const RESULTS: readonly IntakeResult[] = [
  ...(['accepted', 'ignored', 'duplicate'] as const),
  ...(['unknown', 'unauthentic', 'limited'] as const),
  ...(['wrong_method', 'malformed', 'too_large', 'not_served', 'not_known_yet'] as const),
  ...(['crowded_out', 'too_slow'] as const),
  ...(['unavailable', 'broken_off', 'failed'] as const),
];
/** The results in the line of `/mon/status`. */
const REFUSED = ['unknown', 'unauthentic', 'limited', 'malformed'] as const;
/** How long the line warns after a delivery with no right signature. */
const WARN_MS = 10 * 60_000;

/** Measures one request from its arrival. */
export interface Measurement {
  /** Waits for the body. That time is not counted. */
  sending<T>(body: Promise<T>): Promise<T>;
  end(result: IntakeResult): void;
}

/** Counts the results of deliveries, for Prometheus and for `/mon/status`. */
export function createIntakeMetrics(deps: { metrics: Pick<Metrics, 'counter' | 'histogram'> }) {
  const counter = deps.metrics.counter({
    name: 'cds_hooks_deliveries_total',
    help: 'Requests to webhooks, by what became of them.',
    labels: ['result'],
  });
  const seconds = deps.metrics.histogram({
    name: 'cds_hooks_intake_seconds',
    help: 'Time in which requests to webhooks were answered, without the time their senders took to send them.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5],
  });
  countFromZero(counter, { result: RESULTS });

  const refused = new Map(REFUSED.map((reason) => [reason as IntakeResult, 0]));
  let lastSuspicious = -Infinity;

  return {
    begin(): Measurement {
      let began = performance.now();
      return {
        async sending(body) {
          const since = performance.now();
          try {
            return await body;
          } finally {
            began += performance.now() - since;
          }
        },
        end(result) {
          counter.inc({ result });
          seconds.observe((performance.now() - began) / 1000);
          const before = refused.get(result);
          if (before !== undefined) refused.set(result, before + 1);
          if (result === 'unauthentic' || result === 'limited') lastSuspicious = performance.now();
        },
      };
    },

    /** Counts since the start. */
    lines(): MonitoringLine[] {
      const recent = performance.now() - lastSuspicious < WARN_MS;
      return [
        {
          component: 'Deliveries Refused',
          value: [...refused].map(([reason, count]) => `${reason} ${count}`).join(', '),
          status: recent ? 'WARN' : 'OK',
          type: '',
        },
      ];
    },
  };
}
