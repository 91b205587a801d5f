import { createResetSignature, isSigned } from '@cds/hooks-store';
import { checkCanConfirm, confirm, type ConfirmedOptions, printResult } from '../command-options';
import { CommandError } from '../command-error';
import type { Context } from '../context';
import { checkUuid } from '../execution-arguments';
import { withServiceRedis } from '../service-redis';

/** `engine hooks signature reset UUID` */
export async function resetSignature(
  uuid: string,
  o: ConfirmedOptions,
  context: Context,
): Promise<void> {
  checkUuid(uuid);
  checkCanConfirm(o, context, 'reset lets unsigned deliveries in');
  const wasSigned = await withServiceRedis('hooks', o.config, context, async (redis) => {
    const signed = await isSigned(redis, uuid);
    if (o.dryRun) return signed;
    if (signed) await confirm(o, context, 'Take unsigned deliveries of this task again?');
    const result = await createResetSignature({ redis })(uuid);
    return result === 'unknown' ? undefined : result === 'ok';
  });
  if (wasSigned === undefined) throw new CommandError(`there is no task ${uuid}.`);
  const forgotten = o.dryRun
    ? 'It would be forgotten that the task was signed'
    : 'Forgotten: with signature = "auto" unsigned deliveries are taken until the next one with a right signature';
  printResult(o, context, {
    sentence: wasSigned
      ? `${forgotten}.`
      : 'Nothing to forget: no right signature was seen, or it was forgotten already.',
    fields: { uuid, was_signed: wasSigned },
  });
}
