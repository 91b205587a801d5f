import {
  createReplay,
  previewReplay,
  type Replayed,
  type ReplayPreview,
  timestampOfId,
} from '@cds/hooks-store';
import type { Redis } from 'ioredis';
import { type ActionOptions, printResult } from '../command-options';
import { CommandError } from '../command-error';
import type { Context } from '../context';
import { checkTimestamp, checkUuid } from '../execution-arguments';
import { withServiceRedis } from '../service-redis';

/** `engine hooks replay UUID TIMESTAMP` */
export async function replayExecution(
  uuid: string,
  timestamp: string,
  o: ActionOptions,
  context: Context,
): Promise<void> {
  checkUuid(uuid);
  const id = checkTimestamp(timestamp);
  const now = Date.now();
  const replay = async (redis: Redis): Promise<Replayed | ReplayPreview> =>
    o.dryRun ? previewReplay(redis, uuid, id, now) : createReplay({ redis })(uuid, id, now);
  const replayed = await withServiceRedis('hooks', o.config, context, replay);
  switch (replayed.kind) {
    case 'unknown':
      throw new CommandError('there is no execution of this uuid and timestamp.');
    case 'waiting':
      throw new CommandError('this execution has not ended: hooks works it off by itself.');
    case 'refused':
      throw new CommandError(`this execution cannot be replayed: ${replayed.reason}.`);
    case 'possible':
      return printResult(o, context, {
        sentence: 'It would be replayed: every run of it would be asked for again.',
        fields: { uuid, replayed: 0 },
      });
    case 'again':
      return printResult(o, context, {
        sentence: `It was replayed within the last minute already, as execution ${timestampOfId(replayed.id)}.`,
        fields: { uuid, replayed: 0, timestamp: timestampOfId(replayed.id) },
      });
    case 'ok':
      printResult(o, context, {
        sentence:
          `Replayed as execution ${timestampOfId(replayed.id)}: hooks takes it up within ` +
          'seconds, after what waits there already.',
        fields: { uuid, replayed: 1, timestamp: timestampOfId(replayed.id) },
      });
  }
}
