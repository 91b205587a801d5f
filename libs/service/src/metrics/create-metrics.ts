import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type CounterConfiguration,
  type GaugeConfiguration,
  type HistogramConfiguration,
} from 'prom-client';
import { buildInfo } from '../build-info';

/** What is counted of a service, in one registry. */
export interface Metrics {
  /** The prefix of its names is `cds_SERVICE_`. */
  readonly service: 'vcs' | 'hooks';
  counter<T extends string = never>(
    options: MetricOptions<T> & Pick<CounterConfiguration<T>, 'collect'>,
  ): Counter<T>;
  gauge<T extends string = never>(
    options: MetricOptions<T> & Pick<GaugeConfiguration<T>, 'collect'>,
  ): Gauge<T>;
  histogram<T extends string = never>(
    options: MetricOptions<T> & Pick<HistogramConfiguration<T>, 'buckets'>,
  ): Histogram<T>;
  /** All of it in Prometheus' text format. */
  text(): Promise<{ contentType: string; text: string }>;
}

export interface MetricOptions<T extends string> {
  /** Begins with the prefix of the service: `cds_hooks_…`. */
  name: string;
  help: string;
  /** Each with few values that are known beforehand: never a uuid, a repository or an address. */
  labels?: readonly T[];
}

/**
 * The metrics of one service, with those of the process and `cds_SERVICE_build_info`. The only file
 * that knows prom-client: its successor needs a newer Node.
 */
export function createMetrics(deps: { service: 'vcs' | 'hooks' }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const configuration = <T extends string>({ labels = [], ...rest }: MetricOptions<T>) => ({
    ...rest,
    labelNames: labels,
    registers: [registry],
  });
  const metrics: Metrics = {
    service: deps.service,
    counter: (options) => new Counter(configuration(options) as CounterConfiguration<never>),
    gauge: (options) => new Gauge(configuration(options) as GaugeConfiguration<never>),
    histogram: (options) => new Histogram(configuration(options) as HistogramConfiguration<never>),
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };

  const { version, commit } = buildInfo();
  metrics
    .gauge({
      name: `cds_${deps.service}_build_info`,
      help: 'Always 1; the labels tell which build this is.',
      labels: ['version', 'commit', 'node'],
    })
    .set({ version, commit, node: process.version }, 1);
  return metrics;
}
