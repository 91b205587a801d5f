import { replies } from '@cds/redis';
import { parseState } from '../execution';
import { readConfig } from '../unreadable/read-config';
import { readWithBody } from '../stored-execution-text';
import { timestampOfId } from '../clock';
import { unlessUnreadable, UnreadableExecutionError } from '../unreadable/check-execution';
import type { TaskType } from '@cds/wire';
import type { TakenExecution } from './delivery-types';
import { taskType } from './look-up-hook.lua';

const takeReply = replies.variants({
  lost: {},
  gone: {},
  stopped: {},
  empty: {},
  work: {
    type: taskType,
    config: replies.textOrNull,
    id: replies.text,
    execution: replies.text,
    body: replies.text,
    state: replies.text,
    cleanups: replies.number,
    begun: replies.number,
  },
});

/** Reads the reply of TAKE_PENDING, and of FINISH_EXECUTION for the next one. */
export function readTaken(reply: unknown): TakenExecution {
  const taken = takeReply(reply);
  if (taken.kind !== 'work') return taken;
  const { type, config, id, execution, body, state, cleanups, begun } = taken;
  return {
    kind: 'work',
    pending: {
      type,
      config: readConfig(config) ?? null,
      id,
      ...(unlessUnreadable(() => readWithBody(execution, body)) ?? unreadable(type, id)),
      state: parseState(state),
      stateJson: state,
      anyCleanups: cleanups > 0,
      begun,
    },
  };
}

/** An unreadable one has only its type and time; its processor gives it up. */
function unreadable(type: TaskType, id: string) {
  const timestamp = timestampOfId(id);
  const execution = { timestamp, type, config: null, accepted_at: Number(id) / 1_000 };
  return { execution, body: '', unreadable: new UnreadableExecutionError().message };
}
