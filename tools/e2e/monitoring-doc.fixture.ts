/** An item of the lists of metrics. */
export interface DocumentedMetric {
  name: string;
  type: string;
  /** Label → its values, where they are named. */
  labels: Map<string, string[]>;
}

/** `name` (type; labels), and words behind a colon. */
const ITEM = /^- `([a-zA-Z0-9_]+)` \((\w+)(?:; (.*?))?\)(?::|$)/gm;
const withoutWraps = (text: string) => text.replace(/\n {2,}/g, ' ');

/** The text of a section, up to the next heading of its level. @throws Error when there is none */
export function section(text: string, title: string): string {
  const [, rest] = `\n${text}`.split(`\n## ${title}\n`);
  if (rest === undefined) throw new Error(`docs/monitoring.md has no section "## ${title}"`);
  return rest.split('\n## ')[0] ?? '';
}

/** The items of a section; `SERVICE` in a name stands for each of these. */
export function documentedMetrics(text: string, services: readonly string[]): DocumentedMetric[] {
  return [...withoutWraps(text).matchAll(ITEM)].flatMap(([, name = '', type = '', listed = '']) => {
    const labels = new Map(
      [...listed.matchAll(/`(\w+)`(?:: ((?:`[^`]+` ?)+))?(?:;|$)/g)].map(
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
