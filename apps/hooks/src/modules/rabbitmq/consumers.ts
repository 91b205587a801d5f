import { setTimeout as sleep } from 'node:timers/promises';
import { createQueueStore, parseJson } from '@cds/hooks-store';
import { createDueLoop } from '@cds/redis';
import type { Resources } from '../../resources';
import type { HandledTask, TaskHandler } from '../task-handler';
import type { ConsumerState, HookOfQueue } from './keep-consuming';
import { readSettings, settingsSchema } from './rabbitmq-settings';

interface Consumer {
  /** JSON. */
  settings: string;
  state: ConsumerState;
  stop: AbortController;
  ended: Promise<void>;
}

/** A broker that does not answer does not delay the end of the service. */
const STOP_MS = 5_000;

/**
 * The consumers of this process. Every replica consumes every queue; the broker delivers each
 * message to one. The wanted queues stand in one hash of Redis (uuid → settings), which tasks
 * change and every replica reads every two seconds.
 *
 * @param consume consumes the queue of one hook until `signal` is aborted
 */
export function createConsumers(
  { redis, logger, timing }: Pick<Resources, 'redis' | 'logger' | 'timing'>,
  consume: (
    hook: HookOfQueue,
    changed: (state: ConsumerState) => void,
    signal: AbortSignal,
  ) => Promise<void>,
) {
  const wanted = createQueueStore({ redis });
  const running = new Map<string, Consumer>();
  /** A hook gets no second consumer before the first has ended. */
  const leaving = new Map<string, Promise<void>>();
  const warnedUnreadable = new Set<string>();

  function begin(uuid: string, text: string): void {
    const settings = settingsSchema.safeParse(parseJson(text));
    if (!settings.success) {
      if (!warnedUnreadable.has(uuid))
        logger.warn({ hook: uuid }, 'stored queue settings are unreadable: save the workflow');
      warnedUnreadable.add(uuid);
      return;
    }
    const stop = new AbortController();
    const consumer: Consumer = {
      settings: text,
      state: 'waiting',
      stop,
      ended: Promise.resolve(),
    };
    const changed = (state: ConsumerState) => (consumer.state = state);
    consumer.ended = consume({ uuid, settings: settings.data }, changed, stop.signal).catch(
      (error: unknown) => logger.error({ err: error, hook: uuid }, 'consumer broke off'),
    );
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
    maxSleepMs: timing.queuesMs ?? 2_000,
    failed: (error) => logger.debug({ error }, 'failed to read the queues to consume'),
  });

  const thenReconcile = (change: Promise<void>): Promise<void> => change.finally(loop.runNow);

  function want({ uuid, config }: HandledTask): Promise<void> {
    const settings = readSettings(config);
    const text = 'problem' in settings ? '' : JSON.stringify(settings);
    return thenReconcile(wanted.want(uuid, config, text));
  }

  const forget = ({ uuid }: HandledTask) => thenReconcile(wanted.forget(uuid));
  const taskHandler: TaskHandler = {
    stored: want,
    started: want,
    stopped: forget,
    removed: forget,
  };

  return {
    taskHandler,
    start: loop.start,
    /** Finishes the messages that are being taken. Resolves after {@link STOP_MS} at the latest. */
    async stop(): Promise<void> {
      await loop.stop();
      for (const [uuid, consumer] of running) end(uuid, consumer);
      const deadline = sleep(STOP_MS, undefined, { ref: false });
      await Promise.race([Promise.all(leaving.values()), deadline]);
    },
    /** Called after a message for a hook that takes none. */
    notTaken: (uuid: string): Promise<void> => thenReconcile(wanted.check(uuid)),
    states: (): ReadonlyMap<string, ConsumerState> =>
      new Map([...running].map(([uuid, { state }]) => [uuid, state])),
  };
}
