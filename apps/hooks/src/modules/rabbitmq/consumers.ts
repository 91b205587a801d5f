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
  /** Between two reads of the wanted queues (ms). */
  everyMs?: number | undefined;
}

interface Consumer {
  /** JSON. */
  settings: string;
  state: ConsumerState;
  stop: AbortController;
  ended: Promise<void>;
}

/** A broker that does not answer does not delay the end of the service. */
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

export interface Consumers {
  taskHandler: TaskHandler;
  start(): void;
  /** Finishes the messages that are being taken. Resolves after {@link STOP_MS} at the latest. */
  stop(): Promise<void>;
  /** Called after a message for a hook that takes none. */
  notTaken(uuid: string): Promise<void>;
  states(): ReadonlyMap<string, ConsumerState>;
}

/**
 * The consumers of this process. Every replica consumes every queue; the broker delivers each
 * message to one. The wanted queues stand in one hash of Redis (uuid → settings), which tasks
 * change and every replica reads every two seconds.
 */
export function createConsumers(deps: ConsumersDeps): Consumers {
  const { wanted, logger, everyMs = 2_000 } = deps;
  const running = new Map<string, Consumer>();
  /** A hook gets no second consumer before the first has ended. */
  const leaving = new Map<string, Promise<void>>();
  const warnedUnreadable = new Set<string>();

  function begin(uuid: string, text: string): void {
    const settings = settingsSchema.safeParse(text);
    if (!settings.success) {
      if (!warnedUnreadable.has(uuid))
        logger.warn({ hook: uuid }, 'stored queue settings are unreadable: save the workflow');
      warnedUnreadable.add(uuid);
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
      .catch((error: unknown) => logger.error({ err: error, hook: uuid }, 'consumer broke off'));
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

  /** One call at a time: two would start a consumer twice. */
  const loop = createDueLoop({
    async runDue() {
      await reconcile();
      return undefined;
    },
    maxSleepMs: everyMs,
    failed: (error) => logger.debug({ error }, 'failed to read the queues to consume'),
  });

  const thenReconcile = (change: Promise<void>): Promise<void> => change.finally(loop.runNow);

  return {
    taskHandler: {
      stored: ({ uuid, config }) => thenReconcile(wanted.want(uuid, config)),
      started: ({ uuid, config }) => thenReconcile(wanted.want(uuid, config)),
      stopped: ({ uuid }) => thenReconcile(wanted.forget(uuid)),
      removed: ({ uuid }) => thenReconcile(wanted.forget(uuid)),
    },
    start: loop.start,
    async stop() {
      await loop.stop();
      for (const [uuid, consumer] of running) end(uuid, consumer);
      const deadline = sleep(STOP_MS, undefined, { ref: false });
      await Promise.race([Promise.all(leaving.values()), deadline]);
    },
    notTaken: (uuid) => thenReconcile(wanted.check(uuid)),
    states: () => new Map([...running].map(([uuid, { state }]) => [uuid, state])),
  };
}
