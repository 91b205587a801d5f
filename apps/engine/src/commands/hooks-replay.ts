import { createReplay, timestampOfId } from '@cds/hooks-store';
import { CommandError } from '../command-error';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { checkTimestamp, checkUuid } from '../execution-arguments';
import { withServiceRedis } from '../service-redis';

/** `engine hooks replay UUID TIMESTAMP` */
export async function replayExecution(
  uuid: string,
  timestamp: string,
  o: ConfigOption,
  context: Context,
): Promise<void> {
  checkUuid(uuid);
  const id = checkTimestamp(timestamp);
  const replayed = await withServiceRedis('hooks', o.config, context, (redis) =>
    createReplay({ redis })(uuid, id, Date.now()),
  );
  switch (replayed.kind) {
    case 'unknown':
      throw new CommandError('there is no execution of this uuid and timestamp.');
    case 'waiting':
      throw new CommandError('this execution has not ended: hooks works it off by itself.');
    case 'refused':
      throw new CommandError(`this execution cannot be replayed: ${replayed.reason}.`);
    case 'again':
      context.out(
        `It was replayed within the last minute already, as execution ${timestampOfId(replayed.id)}.\n`,
      );
      return;
    case 'ok':
      context.out(
        `Replayed as execution ${timestampOfId(replayed.id)}: hooks takes it up within seconds, after what waits there already.\n`,
      );
  }
}
