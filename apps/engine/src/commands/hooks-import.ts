import { createImport } from '@cds/hooks-store';
import type { Redis } from 'ioredis';
import type { ActionOptions } from '../command-options';
import { CommandError } from '../command-error';
import { formatJson } from '../print';
import type { Context } from '../context';
import { withServiceRedis, withRedis } from '../service-redis';
import { createDryImport } from '../reference/dry-import';
import { importCleanups } from '../reference/import-cleanups';
import { importDeliveries } from '../reference/import-deliveries';
import { createReporter, type ImportReport } from '../reference/import-report';
import { importTasks } from '../reference/import-tasks';
import { importRemarks, printImport } from '../reference/print-import';
import { createReference } from '../reference/read-reference';
import { IMPORT_PASSWORD, sourceAddress } from '../reference/source-address';

export interface ImportOptions extends ActionOptions {
  from?: string;
}

const OF_SOURCE =
  'look whether it and the Redis of the configuration run, whether --from is right, ' +
  `and whether ${IMPORT_PASSWORD} holds its password.`;

/** `engine hooks import` */
export async function importHooks(o: ImportOptions, context: Context): Promise<void> {
  const source = o.from === undefined ? undefined : sourceAddress(o.from, context.env);
  const report = await withServiceRedis('hooks', o.config, context, async (into, config) =>
    // CDS's own hooks knows of no key prefix.
    withRedis(source ?? { ...config.redis, keyPrefix: '' }, OF_SOURCE, (from) =>
      importReference(from, into, { retryError: config.retryError, dryRun: o.dryRun === true }),
    ),
  );
  if (!report)
    throw new CommandError(
      "there is nothing of CDS's own hooks in that Redis (no sorted set hooks:tasks): " +
        'name the one that it used with --from.',
    );
  context.out(o.json ? formatJson(report) : printImport(report));
  importRemarks(report).forEach((remark) => context.say(remark));
  if (report.problems.length > 0)
    throw new CommandError(
      'not everything could be imported, see above. What could be was; to import again is safe.',
    );
}

/**
 * Imports what CDS's own hooks has to do: tasks, scheduled cleanups, accepted deliveries. Only
 * reads its keys. Safe to repeat.
 * @returns undefined when there is nothing of CDS's own hooks
 */
async function importReference(
  from: Redis,
  redis: Redis,
  { retryError, dryRun }: { retryError: number; dryRun: boolean },
): Promise<ImportReport | undefined> {
  const reference = createReference({ redis: from });
  if (!(await reference.isThere())) return undefined;
  const into = dryRun ? createDryImport({ redis }) : createImport({ redis });
  const reporter = createReporter(dryRun);
  const deps = { reference, redis, into, reporter, retryError, now: Date.now() };
  const known = await importTasks(deps);
  await importCleanups(deps, known);
  await importDeliveries(deps, known);
  return reporter.report;
}
