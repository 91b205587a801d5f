import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { root } from './stack.fixture';

const datasource = z.strictObject({
  type: z.literal('prometheus'),
  uid: z.literal('${datasource}'),
});
const target = z.looseObject({ datasource, expr: z.string().min(1), refId: z.string() });
const gridPos = z.strictObject({ h: z.int(), w: z.int(), x: z.int().max(23), y: z.int() });
const row = z.looseObject({ type: z.literal('row'), id: z.int(), title: z.string(), gridPos });
const panel = z.looseObject({
  ...{ type: z.enum(['stat', 'timeseries', 'table']), id: z.int(), title: z.string().min(1) },
  ...{ description: z.string().min(1), gridPos, datasource, targets: z.array(target).min(1) },
});
const variable = z.looseObject({ name: z.string(), query: z.unknown() });
/** What a dashboard of ours has; `id` and `uid` are those of a Grafana, not ours. */
const dashboard = z.looseObject({
  id: z.null(),
  uid: z.undefined().optional(),
  title: z.string(),
  panels: z.array(z.union([row, panel])),
  templating: z.strictObject({ list: z.array(variable) }),
});

/** @throws Error where it is none that Grafana can import with a data source of its own */
export function readDashboard(service: string) {
  const file = join(root, 'deploy', 'grafana', `${service}.json`);
  return dashboard.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** Its queries as Prometheus gets them, with the panel and the names in its legend. */
export function queriesOf({ panels }: ReturnType<typeof readDashboard>) {
  return panels.flatMap((each) =>
    each.type === 'row'
      ? []
      : each.targets.map(({ expr, legendFormat }) => ({
          title: each.title,
          expr: expr.replaceAll(/\$__(rate_interval|range)/g, '5m'),
          shown: [...String(legendFormat).matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name),
        })),
  );
}
