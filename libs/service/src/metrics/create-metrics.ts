import {
  AggregatorRegistry,
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
    options: MetricOptions<T> & Pick<CounterConfiguration<T>, 'collect' | 'aggregator'>,
  ): Counter<T>;
  gauge<T extends string = never>(
    options: MetricOptions<T> & Pick<GaugeConfiguration<T>, 'collect' | 'aggregator'>,
  ): Gauge<T>;
  histogram<T extends string = never>(
    options: MetricOptions<T> & Pick<HistogramConfiguration<T>, 'buckets'>,
  ): Histogram<T>;
  /** All of it, for {@link OtherProcesses} of the process that is asked. */
  values(): Promise<ProcessMetrics>;
  /** All of it in Prometheus' text format, with that of other processes. */
  text(): Promise<{ contentType: string; text: string }>;
}

/** What one process of the service counts. */
export type ProcessMetrics = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** The other processes of the service. */
export interface OtherProcesses {
  /** Of a process that counts for all: what the others count. */
  values?(): Promise<ProcessMetrics[]>;
  /** Of the others: what that process answers. */
  text?(): Promise<string>;
}

export interface MetricOptions<T extends string> {
  /** Begins with the prefix of the service: `cds_hooks_…`. */
  name: string;
  help: string;
  /** Each with few values that are known beforehand: never a uuid, a repository or an address. */
  labels?: readonly T[];
}

let ofProcess: Registry | undefined;

/**
 * Those of Node.js. Made once: each time would begin an observer of garbage collection and a timer
 * of 10 ms for the lag of the event loop, and prom-client ends neither.
 */
function metricsOfProcess(): Registry {
  if (ofProcess) return ofProcess;
  ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess });
  return ofProcess;
}

/**
 * The metrics of one service, with those of the process and `cds_SERVICE_build_info`. The only file
 * that knows prom-client: its successor needs a newer Node.
 */
export function createMetrics(deps: {
  service: 'vcs' | 'hooks';
  others?: OtherProcesses | undefined;
}): Metrics {
  const { values: valuesOfOthers, text: textOfMain } = deps.others ?? {};
  const registry = Registry.merge([metricsOfProcess()]);

  const configuration = <T extends string>({ labels = [], ...rest }: MetricOptions<T>) => ({
    ...rest,
    labelNames: labels,
    registers: [registry],
  });
  const metrics: Metrics = {
    service: deps.service,
    counter: (options) => new Counter(configuration(options) as CounterConfiguration<never>),
    // Of several processes a gauge has the largest value, and no sum: most read it from Redis.
    gauge: (options) =>
      new Gauge({
        aggregator: 'max',
        ...configuration(options),
      } as GaugeConfiguration<never>),
    histogram: (options) => new Histogram(configuration(options) as HistogramConfiguration<never>),
    values: () => registry.getMetricsAsJSON(),
    async text() {
      const { contentType } = registry;
      if (textOfMain) return { contentType, text: await textOfMain() };
      if (!valuesOfOthers) return { contentType, text: await registry.metrics() };
      const all = [await registry.getMetricsAsJSON(), ...(await valuesOfOthers())];
      return { contentType, text: await AggregatorRegistry.aggregate(all).metrics() };
    },
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

/** Begins a counter at 0 for all these values of its labels: the first event is an increase. */
export function countFromZero<T extends string>(
  counter: Counter<T>,
  values: Record<T, readonly string[]>,
): void {
  let combinations: Record<string, string>[] = [{}];
  for (const [label, ofLabel] of Object.entries<readonly string[]>(values))
    combinations = combinations.flatMap((labels) =>
      ofLabel.map((value) => ({ ...labels, [label]: value })),
    );
  for (const labels of combinations) counter.inc(labels as Record<T, string>, 0);
}
