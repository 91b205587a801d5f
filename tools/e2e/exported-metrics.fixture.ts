/** A metric as a service exports it. */
export interface ExportedMetric {
  type: string;
  /** Label → the values that were seen. */
  labels: Map<string, Set<string>>;
}

const SUFFIXES = /_(bucket|sum|count)$/;

/** The metric that a name of a sample, or of a selector, belongs to. */
export function metricOf<T>(sample: string, metrics: ReadonlyMap<string, T>): string {
  const base = sample.replace(SUFFIXES, '');
  return metrics.has(sample) || !metrics.has(base) ? sample : base;
}

/** Reads Prometheus' text format. */
export function readExported(text: string): Map<string, ExportedMetric> {
  const metrics = new Map<string, ExportedMetric>();
  for (const line of text.split('\n')) {
    const [, declared = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (declared !== '') metrics.set(declared, { type, labels: new Map() });
    if (line.startsWith('#') || line === '') continue;
    const [, name = '', labels = ''] = /^([a-z0-9_]+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    const metric = metrics.get(metricOf(name, metrics));
    if (!metric) throw new Error(`a sample of no metric: ${line}`);
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      if (label === 'le') continue;
      metric.labels.set(label, (metric.labels.get(label) ?? new Set()).add(value));
    }
  }
  return metrics;
}
