import type { ActionOptions } from '../action-options';
import { CommandError } from '../command-error';
import { formatJson } from '../print-json';
import type { Context } from '../context';
import { withServiceRedis, withRedis } from '../service-redis';
import { importReference } from '../reference/import-reference';
import { importRemarks, printImport } from '../reference/print-import';
import { IMPORT_PASSWORD, sourceAddress } from '../reference/source-address';

export interface ImportOptions extends ActionOptions {
  from?: string;
}

const OF_SOURCE = `look whether it and the Redis of the configuration run, whether --from is right, and whether ${IMPORT_PASSWORD} holds its password.`;

/** `engine hooks import` */
export async function importHooks(o: ImportOptions, context: Context): Promise<void> {
  const source = o.from === undefined ? undefined : sourceAddress(o.from, context.env);
  const report = await withServiceRedis(
    'hooks',
    o.config,
    context,
    async (into, { redis, retryError }) => {
      const options = { into, retryError, dryRun: o.dryRun === true, now: Date.now() };
      // CDS's own hooks knows of no key prefix.
      return withRedis(source ?? { ...redis, keyPrefix: '' }, OF_SOURCE, (from) =>
        importReference({ ...options, from }),
      );
    },
  );
  if (!report) {
    throw new CommandError(
      "there is nothing of CDS's own hooks in that Redis (no sorted set hooks:tasks): name the one that it used with --from.",
    );
  }
  context.out(o.json ? formatJson(report) : printImport(report));
  importRemarks(report).forEach((remark) => context.say(remark));
  if (report.problems.length > 0) {
    throw new CommandError(
      'not everything could be imported, see above. What could be was; to import again is safe.',
    );
  }
}
