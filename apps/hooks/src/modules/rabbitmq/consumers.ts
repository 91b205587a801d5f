import { setTimeout as sleep } from 'node:timers/promises';
import { createDueLoop } from '@cds/redis';
import type { Logger } from '@cds/service';
import { z } from 'zod';
import type { TaskHandler } from '../task-handler';
import type { ConsumerState } from './keep-consuming';
import type { RabbitmqSettings } from './rabbitmq-settings';
import type { WantedQueues } from './wanted-queues';

export interface ConsumersDeps {
  wanted: WantedQueues;
  /** Consumes the queue of one hook until `signal` is aborted. */
  consume: (
    hook: { uuid: string; settings: RabbitmqSettings },
    changed: (state: ConsumerState) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  logger: Logger;
  /** Milliseconds between two looks at which hooks there are. */
  everyMs?: number | undefined;
}

interface Consumer {
  /** What it was started with (JSON). */
  settings: string;
  state: ConsumerState;
  stop: AbortController;
  ended: Promise<void>;
}

/** A broker that does not answer must not hold up the end of the service: it finds out by the heartbeat. */
const STOP_MS = 5_000;

const settingsSchema = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'no JSON' });
      return z.NEVER;
    }
  })
  .pipe(
    z.record(
      z.enum([
        ...(['project', 'integration', 'exchange', 'exchangeType'] as const),
        ...(['queue', 'bindingKey', 'consumerTag'] as const),
      ]),
      z.string(),
    ),
  );

/** The consumers of all hooks of a `hooks` process, and the task handler that says which there are to be. */
export interface Consumers {
  taskHandler: TaskHandler;
  start(): void;
  /** Finishes what is being taken; resolves when all have ended, or after five seconds. */
  stop(): Promise<void>;
  /** After a message came for a hook that does not take it. */
  notTaken(uuid: string): Promise<void>;
  states(): ReadonlyMap<string, ConsumerState>;
}

/**
 * Every replica consumes every queue; the broker hands each message to one of them. Which queues these are stands in one
 * hash of Redis (uuid → settings), written when a task is kept, started, stopped or removed through any replica, and
 * looked at every two seconds by all.
 */
export function createConsumers(deps: ConsumersDeps): Consumers {
  const { wanted, logger, everyMs = 2_000 } = deps;
  const running = new Map<string, Consumer>();
  /** Told to end: nobody waits for a slow one, but no second one of the hook begins beside it. */
  const leaving = new Map<string, Promise<void>>();
  const toldUnreadable = new Set<string>();

  function begin(uuid: string, text: string): void {
    const settings = settingsSchema.safeParse(text);
    if (!settings.success) {
      if (!toldUnreadable.has(uuid))
        logger.warn(
          { hook: uuid },
          'the kept settings of a queue are unreadable: save its workflow',
        );
      toldUnreadable.add(uuid);
      return;
    }
    const stop = new AbortController();
    const consumer: Consumer = {
      settings: text,
      state: { kind: 'waiting', reason: 'connecting' },
      stop,
      ended: Promise.resolve(),
    };
    consumer.ended = deps
      .consume({ uuid, settings: settings.data }, (state) => (consumer.state = state), stop.signal)
      .catch((error: unknown) => logger.error({ err: error, hook: uuid }, 'a consumer broke off'));
    running.set(uuid, consumer);
  }

  function end(uuid: string, consumer: Consumer): void {
    running.delete(uuid);
    consumer.stop.abort();
    leaving.set(
      uuid,
      consumer.ended.finally(() => leaving.delete(uuid)),
    );
  }

  async function reconcile(): Promise<void> {
    const now = new Map(Object.entries(await wanted.all()));
    for (const [uuid, consumer] of running)
      if (now.get(uuid) !== consumer.settings) end(uuid, consumer);
    for (const [uuid, settings] of now)
      if (!running.has(uuid) && !leaving.has(uuid)) begin(uuid, settings);
  }

  /** One look at a time: two would start a consumer twice. */
  const loop = createDueLoop({
    async runDue() {
      await reconcile();
      return undefined;
    },
    maxSleepMs: everyMs,
    failed: (error) => logger.debug({ error }, 'which queues to consume is not known'),
  });

  const thenLook = (change: Promise<void>): Promise<void> => change.finally(loop.runNow);

  return {
    taskHandler: {
      stored: ({ uuid, config }) => thenLook(wanted.want(uuid, config)),
      started: ({ uuid, config }) => thenLook(wanted.want(uuid, config)),
      stopped: ({ uuid }) => thenLook(wanted.forget(uuid)),
      removed: ({ uuid }) => thenLook(wanted.forget(uuid)),
    },
    start: loop.start,
    async stop() {
      await loop.stop();
      for (const [uuid, consumer] of running) end(uuid, consumer);
      const deadline = sleep(STOP_MS, undefined, { ref: false });
      await Promise.race([Promise.all(leaving.values()), deadline]);
    },
    notTaken: (uuid) => thenLook(wanted.check(uuid)),
    states: () => new Map([...running].map(([uuid, { state }]) => [uuid, state])),
  };
}
