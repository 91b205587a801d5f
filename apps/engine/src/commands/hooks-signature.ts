import { createResetSignature } from '@cds/hooks-store';
import { CommandError } from '../command-error';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { checkUuid } from '../execution-arguments';
import { withServiceRedis } from '../service-redis';

/** `engine hooks signature reset UUID` */
export async function resetSignature(
  uuid: string,
  o: ConfigOption,
  context: Context,
): Promise<void> {
  checkUuid(uuid);
  const result = await withServiceRedis('hooks', o.config, context, (redis) =>
    createResetSignature({ redis })(uuid),
  );
  if (result === 'unknown') throw new CommandError(`there is no task ${uuid}.`);
  context.out(
    result === 'ok'
      ? 'Forgotten: with signature = "auto" unsigned deliveries are taken until the next one with a right signature.\n'
      : 'Nothing to forget: no right signature was seen, or it was forgotten already.\n',
  );
}
