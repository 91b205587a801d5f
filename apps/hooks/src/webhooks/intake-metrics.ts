import { countFromZero, type Metrics, monitoringLine } from '@cds/service';
import type { MonitoringLine } from '@cds/wire';
import { REFUSAL_REASONS } from './refusal';

/** The results of requests to a webhook. */
const RESULTS = [
  ...(['accepted', 'ignored', 'duplicate'] as const),
  ...REFUSAL_REASONS,
  /** Redis did not confirm that it is stored: 503. */
  'unavailable',
  /** The sender went away before the end of the body. */
  'broken_off',
  /** A bug: 500. */
  'failed',
] as const;
type IntakeResult = (typeof RESULTS)[number];

/** The results in the line of `/mon/status`. */
const REFUSED = ['unknown', 'unauthentic', 'limited', 'malformed'] as const;
/** How long the line warns after a delivery with no right signature. */
const WARN_MS = 10 * 60_000;

/** Counts the results of deliveries, for Prometheus and for `/mon/status`. */
export function createIntakeMetrics(metrics: Metrics) {
  const counter = metrics.counter({
    name: 'cds_hooks_deliveries_total',
    help:
      'Requests to webhooks, by what became of them; unavailable: Redis did not store it; failed: ' +
      'a bug.',
    labels: ['result'],
  });
  const seconds = metrics.histogram({
    name: 'cds_hooks_intake_seconds',
    help:
      'Time in which requests to webhooks were answered, without the time their senders took to ' +
      'send them.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5],
  });
  countFromZero(counter, { result: RESULTS });

  const refused = new Map(REFUSED.map((reason) => [reason as IntakeResult, 0]));
  let lastSuspicious = -Infinity;

  return {
    /** Measures one request from its arrival. */
    begin() {
      let began = performance.now();
      return {
        /** Waits for the body. That time is not counted. */
        async sending<T>(body: Promise<T>): Promise<T> {
          const since = performance.now();
          try {
            return await body;
          } finally {
            began += performance.now() - since;
          }
        },
        end(result: IntakeResult): void {
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
        monitoringLine(
          recent ? 'WARN' : 'OK',
          'Deliveries Refused',
          [...refused].map(([reason, count]) => `${reason} ${count}`).join(', '),
        ),
      ];
    },
  };
}
