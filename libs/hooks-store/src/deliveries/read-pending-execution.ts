import { parseState } from '../execution';
import { readConfig } from '../unreadable/read-config';
import { readWithBody } from '../stored-execution-text';
import { timestampOfId } from '../clock';
import { UnreadableExecutionError } from '../unreadable/check-execution';
import type { TaskType } from '@cds/wire';
import type { Head, TakenHead } from './delivery-types';

/** As TAKE_HEAD returns it. */
export type TakeReply = ['lost' | 'gone' | 'stopped' | 'empty'] | ['work', ...string[]];

/** What TAKE_HEAD, and what FINISH_EXECUTION for the next one, returned. */
export function readTaken(reply: TakeReply): TakenHead {
  if (reply[0] !== 'work') return { kind: reply[0] };
  const [, type, config = 'null', id = '', execution = '{}', body, state = '', ...counts] = reply;
  return {
    kind: 'work',
    head: {
      type: type as TaskType,
      config: readConfig(config) ?? null,
      id,
      ...readHead({ type: type as TaskType, id, execution, body }),
      state: parseState(state),
      stateJson: state,
      anyCleanups: Number(counts[0]) > 0,
      begun: Number(counts[1]),
    },
  };
}

/**
 * One that cannot be read has nothing but its type and its time: who works at it gives it up.
 */
function readHead(of: {
  type: TaskType;
  id: string;
  execution: string;
  body: string | undefined;
}): Pick<Head, 'execution' | 'body' | 'unreadable'> {
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
