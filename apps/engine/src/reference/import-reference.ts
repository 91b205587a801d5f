import { createImport } from '@cds/hooks-store';
import type { Redis } from 'ioredis';
import { createDryImport } from './dry-import';
import { importCleanups } from './import-cleanups';
import { importDeliveries } from './import-deliveries';
import { createReporter, type ImportReport } from './import-report';
import { importTasks } from './import-tasks';
import { createReference } from './read-reference';

/**
 * Imports what CDS's own hooks has to do: tasks, scheduled cleanups, accepted deliveries. Only
 * reads its keys. Safe to repeat.
 * @returns undefined when there is nothing of CDS's own hooks
 */
export async function importReference(deps: {
  from: Redis;
  into: Redis;
  /** Tries in all, as both services are configured. */
  retryError: number;
  dryRun: boolean;
  now: number;
}): Promise<ImportReport | undefined> {
  const { retryError, now } = deps;
  const redis = deps.into;
  const reference = createReference({ redis: deps.from });
  if (!(await reference.isThere())) return undefined;
  const into = deps.dryRun ? createDryImport({ redis }) : createImport({ redis });
  const reporter = createReporter(deps.dryRun);
  const known = await importTasks({ reference, into, reporter, now });
  await importCleanups({ reference, redis, into, reporter, known, retryError });
  await importDeliveries({ reference, into, reporter, known, retryError, now });
  return reporter.report;
}
