import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess, waitFor } from '@cds/testing';
import { parse } from 'yaml';
import * as z from 'zod';
import { serviceEnvironment } from '../sandbox/story/service-config';
import { queriesOf, readDashboard } from './dashboard.fixture';
import { type ExportedMetric, metricOf, readExported } from './exported-metrics.fixture';
import { type DocumentedMetric, documentedMetrics, section } from './monitoring-doc.fixture';
import { readPromql } from './promql.fixture';
import {
  bundle,
  createWorkflow,
  outcomes,
  type Replica,
  REPO,
  root,
  runsOf,
  SERVICES,
  startStack,
  type Stack,
} from './stack.fixture';

const doc = readFileSync(join(root, 'docs', 'monitoring.md'), 'utf8');
const alerts = readRules();
const documented: DocumentedMetric[] = [
  'Metrics of both services',
  ...SERVICES.map((service) => `Metrics of ${service}`),
].flatMap((title) => documentedMetrics(section(doc, title), SERVICES));
const byName = new Map(documented.map((metric) => [metric.name, metric]));
/** What Prometheus itself adds. */
const ADDED = { metrics: new Set(['up']), labels: new Set(['job', 'instance', 'le']) };

let stack: Stack;
let services: Record<'vcs' | 'hooks', Replica>;
let exported: Map<string, ExportedMetric>;
/** `nodejs_…` and `process_…`, which both have. */
let shared: string[];

beforeAll(async () => {
  stack = await startStack();
  services = await stack.startLinked({ CDS_LOG_LEVEL: 'debug' });
  await createWorkflow(stack, 'w');
  const pushed = await stack.bitbucket.push({ repo: REPO, branch: 'dev' });
  expect(await outcomes(pushed)).toEqual([200]);
  await runsOf(stack, 'w', 1);
  const [vcs, hooks] = await Promise.all(
    [services.vcs, services.hooks].map(async ({ url }) =>
      readExported(await (await fetch(`${url}/mon/metrics`)).text()),
    ),
  );
  exported = new Map([...(vcs ?? []), ...(hooks ?? [])]);
  shared = [...(vcs?.keys() ?? [])].filter((name) => hooks?.has(name));
});
afterAll(() => stack?.stop());

describe('the tables of docs/monitoring.md', () => {
  it('hold every metric of both services once, and no other', () => {
    const own = documented.map(({ name }) => name).filter((name) => name.startsWith('cds_'));
    expect(own.toSorted()).toEqual(
      [...exported.keys()].filter((name) => name.startsWith('cds_')).toSorted(),
    );
    const others = documented.map(({ name }) => name).filter((name) => !name.startsWith('cds_'));
    expect(shared).toEqual(expect.arrayContaining(others));
  });

  it('tell types, labels and the values of labels as they are', () => {
    for (const { name, type, labels } of documented) {
      const metric = exported.get(name);
      expect([name, type]).toEqual([name, metric?.type]);
      // Of a metric that has counted nothing yet no label is seen.
      if (metric && metric.labels.size > 0)
        expect([name, [...labels.keys()]]).toEqual([name, [...metric.labels.keys()]]);
      for (const [label, values] of labels) {
        const seen = [...(metric?.labels.get(label) ?? [])];
        if (values.length > 0)
          expect([name, label, values]).toEqual([name, label, expect.arrayContaining(seen)]);
      }
    }
  });

  it('show that labels are bounded: no uuid, path or name of a repository is a value', () => {
    for (const [name, { labels }] of exported) {
      for (const [label, values] of labels) {
        if (!name.startsWith('cds_') || label === 'commit') continue;
        for (const value of values)
          expect(`${name} ${label} ${value}`).not.toMatch(/[0-9a-f]{8}-|web-shop|acme|127\.0/);
      }
    }
  });
});

/** The rules of docs/monitoring/alerts.yml. */
function readRules(): { name: string; expr: string; description: string }[] {
  const schema = z.object({
    groups: z.array(
      z.strictObject({
        name: z.string(),
        rules: z.array(
          z.strictObject({
            alert: z.string(),
            expr: z.string(),
            for: z
              .string()
              .regex(/^\d+[smhd]$/)
              .optional(),
            labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
            annotations: z.strictObject({ summary: z.string(), description: z.string() }),
          }),
        ),
      }),
    ),
  });
  const file = readFileSync(join(root, 'docs', 'monitoring', 'alerts.yml'), 'utf8');
  return schema
    .parse(parse(file))
    .groups.flatMap((group) => group.rules)
    .map(({ alert, expr, annotations: { description } }) => ({
      name: alert,
      expr: expr.trim(),
      description,
    }));
}

/** Expects that an expression reads metrics, labels and values that there are. */
function expectKnown(expr: string): void {
  const { selectors, grouping } = readPromql(expr);
  expect(selectors.length).toBeGreaterThan(0);
  const known = new Set(ADDED.labels);
  for (const { metric: sample, matchers } of selectors) {
    if (!ADDED.metrics.has(sample))
      expect([...exported.keys()]).toContain(metricOf(sample, exported));
    const { labels } = byName.get(metricOf(sample, exported)) ?? { labels: new Map() };
    for (const label of labels.keys()) known.add(label);
    for (const { label, operator, value } of matchers) {
      if (ADDED.labels.has(label)) continue;
      expect([...labels.keys()]).toContain(label);
      const asked = operator.includes('~') ? value.split('|') : [value];
      if (labels.get(label)?.length)
        expect(labels.get(label)).toEqual(expect.arrayContaining(asked));
    }
  }
  expect([...known]).toEqual(expect.arrayContaining(grouping));
}

describe('the alerts', () => {
  it('say what to do', () => {
    for (const { description } of alerts) expect(description.length).toBeGreaterThan(60);
  });

  it.each(alerts)('$name reads metrics, labels and values that there are', ({ expr }) => {
    expectKnown(expr);
  });

  it('would be found out if they named what is not there', () => {
    expect(() => readPromql('sum(rate(cds_hooks_runs_total[5m])')).toThrow('not PromQL');
    expect(readPromql('sum by (kind) (x_bucket{a=~"b|c",d!="e"}) > 1')).toEqual({
      selectors: [
        {
          metric: 'x_bucket',
          matchers: [
            { label: 'a', operator: '=~', value: 'b|c' },
            { label: 'd', operator: '!=', value: 'e' },
          ],
        },
      ],
      grouping: ['kind'],
    });
  });

  it('and all other words of the page name metrics that there are', () => {
    const named = [...doc.matchAll(/`(cds_(?:vcs|hooks)_[a-z_]+)/g)].map(([, name = '']) => name);
    for (const name of named) expect([...exported.keys()]).toContain(metricOf(name, exported));
  });
});

describe.each(SERVICES)('the dashboard of %s', (service) => {
  const dashboard = readDashboard(service);
  const queries = queriesOf(dashboard);

  it('reads metrics, labels and values that there are, of the chosen replicas', () => {
    for (const { expr, shown } of queries) {
      expectKnown(expr);
      for (const { metric, matchers } of readPromql(expr).selectors) {
        expect([expr, matchers.map(({ value }) => value)]).toEqual([
          expr,
          expect.arrayContaining(['$job', '$instance']),
        ]);
        const { labels } = byName.get(metricOf(metric, exported)) ?? { labels: new Map() };
        expect([expr, [...labels.keys(), 'instance']]).toEqual([
          expr,
          expect.arrayContaining(shown.filter((name) => name !== 'instance')),
        ]);
      }
    }
  });

  it('shows every metric of the service, those of the alerts among them', () => {
    const read = (exprs: readonly { expr: string }[]) =>
      exprs
        .flatMap(({ expr }) => readPromql(expr).selectors)
        .map(({ metric }) => metricOf(metric, exported));
    const own = (name: string) => name.startsWith(`cds_${service}_`);
    const shown = read(queries);
    expect(shown).toEqual(expect.arrayContaining(read(alerts).filter(own)));
    expect(shown).toEqual(expect.arrayContaining([...exported.keys()].filter(own)));
  });

  it('shows a share of 0 where nothing failed yet, and none where there was nothing', () => {
    const shares = queries.filter(({ expr }) => /increase\(.* \/ /.test(expr));
    expect(shares.length).toBeGreaterThan(0);
    for (const { expr } of shares) expect(expr).toMatch(/^\(.* or vector\(0\)\) \/ \(.* > 0\)$/);
  });

  it('asks for its data source, and places each panel beside the others', () => {
    const [source, ...others] = dashboard.templating.list;
    expect(source).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    expect(others.map(({ name }) => name)).toEqual(['job', 'instance']);
    for (const { query } of others)
      expect(JSON.stringify(query)).toContain(`label_values(cds_${service}_build_info`);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Set<string>();
    for (const { gridPos, title } of dashboard.panels)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, x < 24, taken.has(`${x},${y}`)]).toEqual([title, true, false]);
          taken.add(`${x},${y}`);
        }
  });
});

describe('logs', () => {
  it('are lines of JSON, in which one id leads from the delivery to its run', async () => {
    const logOf = ({ process }: Replica) =>
      process
        .stdout()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const log = await waitFor(() => {
      const lines = logOf(services.hooks);
      return lines.some(({ msg }) => msg === 'delivery processed') ? lines : undefined;
    });
    expect(logOf(services.vcs).length).toBeGreaterThan(0);

    const { requestId } = log.find(({ msg }) => msg === 'a run was started') ?? {};
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    const story = log.filter((line) => line.requestId === requestId);
    expect(story.map(({ level, msg }) => [level, msg])).toEqual([
      ['debug', 'delivery accepted'],
      ['info', 'a run was started'],
      ['debug', 'delivery processed'],
    ]);
    const hooks = new Set(story.map(({ hook }) => hook));
    const executions = new Set(story.map(({ execution }) => execution));
    expect([hooks.size, executions.size]).toEqual([1, 1]);
  });

  // BSD's takes other arguments.
  const script = '/usr/bin/script';
  const onLinux = process.platform === 'linux' && existsSync(script) ? it : it.skip;

  onLinux.each([
    ['a service', 'vcs', '', SERVICES.slice(0, 1)],
    ['engine start', 'engine', ' start vcs hooks', SERVICES],
  ] as const)('are readable text on a terminal, of %s', async (_what, name, args, started) => {
    const other = await startStack();
    const running = await startProcess({
      command: script,
      args: ['-qec', `exec ${process.execPath} ${bundle(name)}${args}`, '/dev/null'],
      env: { PATH: process.env['PATH'], ...serviceEnvironment(other.settings, [...started]) },
    });
    try {
      for (const service of started) {
        const prefix = name === 'engine' ? `${service.padEnd('hooks'.length)} \\| ` : '';

        await running.waitForOutput(
          new RegExp(`^${prefix}.{0,60}INFO.{0,10}: .{0,10}listening`, 'm'),
        );
      }
      expect(running.stdout()).not.toContain('{"level"');
    } finally {
      running.kill('SIGKILL');
      await other.stop();
    }
  });
});
