/** A row of the tables of metrics. */
export interface DocumentedMetric {
  name: string;
  type: string;
  /** Label → its values, where they are named. */
  labels: Map<string, string[]>;
}

const ROW = /^\| `([a-zA-Z0-9_]+)`\s*\| (\w+)\s*\| (.*?)\s*\| .*\|$/gm;

/** The text of a section, up to the next heading of its level. @throws Error when there is none */
export function section(text: string, title: string): string {
  const [, rest] = `\n${text}`.split(`\n## ${title}\n`);
  if (rest === undefined) throw new Error(`docs/monitoring.md has no section "## ${title}"`);
  return rest.split('\n## ')[0] ?? '';
}

/** The rows of a section; `SERVICE` in a name stands for each of these. */
export function documentedMetrics(text: string, services: readonly string[]): DocumentedMetric[] {
  return [...text.matchAll(ROW)].flatMap(([, name = '', type = '', cell = '']) => {
    const labels = new Map(
      [...cell.matchAll(/`(\w+)`(?:: ((?:`[^`]+` ?)+))?(?:;|$)/g)].map(
        ([, label = '', values = '']) =>
          [label, [...values.matchAll(/`([^`]+)`/g)].map(([, value = '']) => value)] as const,
      ),
    );
    const names = name.includes('SERVICE')
      ? services.map((service) => name.replace('SERVICE', service))
      : [name];
    return names.map((each) => ({ name: each, type, labels }));
  });
}

/** The alerts of a section: `### Name`, words, one block of PromQL. */
export function documentedAlerts(text: string): { name: string; words: string; expr: string }[] {
  return text
    .split('\n### ')
    .slice(1)
    .map((part) => {
      const [, name = '', words = '', expr = ''] =
        /^(\w+)\n([^]*?)\n```promql\n([^]*?)\n```\n*$/.exec(part) ?? [];
      if (name === '') throw new Error(`not one alert with one block of PromQL: ${part}`);
      return { name, words: words.trim(), expr };
    });
}
