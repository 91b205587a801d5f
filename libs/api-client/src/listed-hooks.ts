import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { NodeHook } from '@cds/wire';
import { hookUuid, nodeHook } from './answer-schemas';
import { jsonEntries, OversizedEntry, PAUSE } from './json-entries';

/** Far more than a CDS has. */
const MAX_HOOKS = 100_000;
/** Read before others may use the event loop. */
const HOOKS_AT_ONCE = 100;

/** An entry of the list that cannot be read. */
export interface LeftOutHook {
  /** Undefined where it has none, or none that can be read within bounds. */
  uuid: string | undefined;
  why: string;
  /** Whether it may be any hook: it was too large for its uuid to be found. */
  mayBeAny: boolean;
}

/**
 * The hooks of a list in pieces, some at a time. An entry that cannot be read is left out.
 * @param leftOut called for each such entry
 * @throws Error when the text goes on in a way that no list does, or has too many entries
 */
export async function* listedHooks(
  pieces: Iterable<Buffer>,
  leftOut: (hook: LeftOutHook) => void,
): AsyncGenerator<NodeHook[]> {
  let count = 0;
  let some: NodeHook[] = [];
  for (const entry of jsonEntries(pieces)) {
    if (entry !== PAUSE) {
      count += 1;
      if (count > MAX_HOOKS) throw new Error('too many hooks');
      const hook = readHook(entry, leftOut);
      if (hook) some.push(hook);
      if (count % HOOKS_AT_ONCE > 0) continue;
    }
    yield some;
    some = [];
    await yieldToEventLoop();
  }
  yield some;
}

function readHook(entry: unknown, leftOut: (hook: LeftOutHook) => void): NodeHook | undefined {
  if (entry instanceof OversizedEntry) {
    const { uuid, why } = entry;
    leftOut({ uuid, why, mayBeAny: uuid === undefined });
    return undefined;
  }
  const { success, data } = nodeHook.safeParse(entry);
  if (success) return data;
  const uuid = hookUuid.safeParse((Object(entry) as { uuid?: unknown }).uuid).data;
  const why = uuid === undefined ? 'it has no uuid' : 'its configuration cannot be read';
  leftOut({ uuid, why, mayBeAny: false });
  return undefined;
}
