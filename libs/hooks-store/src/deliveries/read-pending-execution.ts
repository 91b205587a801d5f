import { replies, type ReplyParser } from '@cds/redis';
import { parseState } from '../execution';
import { readConfig } from '../unreadable/read-config';
import { readWithBody } from '../stored-execution-text';
import { timestampOfId } from '../clock';
import { UnreadableExecutionError } from '../unreadable/check-execution';
import type { TaskType } from '@cds/wire';
import type { PendingExecution, TakenExecution } from './delivery-types';

const takeReply = replies.variants({
  lost: {},
  gone: {},
  stopped: {},
  empty: {},
  work: {
    type: replies.text as ReplyParser<TaskType>,
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
      ...readPending({ type, id, execution, body }),
      state: parseState(state),
      stateJson: state,
      anyCleanups: cleanups > 0,
      begun,
    },
  };
}

/** An unreadable one has only its type and time; its processor gives it up. */
function readPending(of: {
  type: TaskType;
  id: string;
  execution: string;
  body: string;
}): Pick<PendingExecution, 'execution' | 'body' | 'unreadable'> {
  try {
    return readWithBody(of.execution, of.body);
  } catch (error) {
    if (!(error instanceof UnreadableExecutionError)) throw error;
    const timestamp = timestampOfId(of.id);
    const execution = {
      timestamp,
      type: of.type,
      config: null,
      accepted_at: Number(of.id) / 1_000,
    };
    return { execution, body: '', unreadable: error.message };
  }
}
