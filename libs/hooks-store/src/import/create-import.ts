import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { NewCleanup } from '../cleanups/cleanup';
import type { ExecutionState, StoredExecution } from '../execution';
import { KEYS, keysOf, PREFIXES } from '../redis-keys';
import { createTaskStore, type TaskToKeep } from '../tasks/task-store';
import { IMPORT_CLEANUP, IMPORT_DELIVERY } from './import-scripts.lua';

/** A delivery that was accepted elsewhere and has not started its runs. */
interface ImportedDelivery {
  uuid: string;
  /** Its timestamp there, to the letter: its name. */
  timestamp: string;
  acceptedUs: number;
  /** A later delivery of the hook was processed there. */
  late: boolean;
  execution: Omit<StoredExecution, 'timestamp' | 'replay_of'>;
  state: ExecutionState;
  /** "" without one. */
  requestUuid: string;
}

type ImportedCleanup = Omit<NewCleanup, 'requestId'> & {
  /** Uuid and timestamp there: they name the cleanup. */
  uuid: string;
  timestamp: string;
};

export type Import = ReturnType<typeof createImport>;

const HOLDER = 'import';
const BUSY_PAUSE_MS = 200;
const BUSY_TRIES = 25;

/** The name of a task, a delivery or a cleanup in `KEYS.imported`. */
export function importedName(
  kind: 'task' | 'delivery' | 'cleanup',
  uuid: string,
  timestamp?: string,
): string {
  return [kind, uuid, ...(timestamp === undefined ? [] : [timestamp])].join('/');
}

/**
 * Imports the state of another hooks into this one's Redis, whether this one runs or not. Imports
 * each once: what ended since does not come back. Deliveries of a hook must come oldest first.
 */
export function createImport({ redis }: { redis: Redis }) {
  const tasks = createTaskStore({ redis });
  const importDelivery = IMPORT_DELIVERY.on(redis);
  const importCleanup = IMPORT_CLEANUP.on(redis);

  return {
    /**
     * Stores a task unless there is one of this uuid, which is newer; it is stopped if it was. A
     * crash in between leaves it unmarked, and the next import goes on.
     * @returns `known`: imported before, whatever happened since
     */
    async task(task: TaskToKeep, stopped: boolean, now: number): Promise<'ok' | 'there' | 'known'> {
      const name = importedName('task', task.uuid);
      if ((await redis.hexists(KEYS.imported, name)) === 1) return 'known';
      const kept = await tasks.put(task, now, 0);
      if (stopped) await tasks.setStopped(task.uuid, true);
      await redis.hset(KEYS.imported, name, kept);
      return kept === 'ok' ? 'ok' : 'there';
    },

    delivery(delivery: ImportedDelivery) {
      const { uuid, timestamp } = delivery;
      return importDelivery(keysOf(uuid), {
        uuid,
        name: importedName('delivery', uuid, timestamp),
        acceptedUs: delivery.acceptedUs,
        execution: JSON.stringify(delivery.execution).slice(1),
        state: JSON.stringify(delivery.state),
        requestUuid: delivery.requestUuid,
        replayOf: `"replay_of":${delivery.acceptedUs}000,`,
        isLate: delivery.late,
      });
    },

    /**
     * @returns `busy` after some seconds of a locked hook; `back`: a push brought the branch back
     */
    async cleanup(cleanup: ImportedCleanup): Promise<'ok' | 'known' | 'back' | 'busy'> {
      const name = importedName('cleanup', cleanup.uuid, cleanup.timestamp);
      const args = { ...cleanup, name, lockToken: HOLDER, requestId: '', ...PREFIXES };
      for (let tries = 0; tries < BUSY_TRIES; tries++) {
        if (tries > 0) await sleep(BUSY_PAUSE_MS);
        const result = await importCleanup(keysOf(cleanup.hook), args);
        if (result !== 'lost') return result;
      }
      return 'busy';
    },

    /** Marks a cleanup that has nothing to import, so that no later import imports it. */
    async passOver(uuid: string, timestamp: string): Promise<void> {
      await redis.hsetnx(KEYS.imported, importedName('cleanup', uuid, timestamp), 'passed-over');
    },

    async known(names: string[]): Promise<Set<string>> {
      if (names.length === 0) return new Set();
      const found = await redis.hmget(KEYS.imported, ...names);
      return new Set(names.filter((_, index) => found[index] !== null));
    },
  };
}
