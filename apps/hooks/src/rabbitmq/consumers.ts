import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { KEYS } from '@cds/hooks-store';
import { errorText } from '../error-text';
import type { ListenedTask, TaskListener } from '../kinds/task-listeners';
import type { ConsumerState } from './keep-consuming';
import { readSettings, type RabbitmqSettings } from './rabbitmq-settings';

export interface ConsumersDeps {
  redis: Redis;
  /** Consumes the queue of one hook until `signal` is aborted. */
  consume: (
    hook: { uuid: string; settings: RabbitmqSettings },
    changed: (state: ConsumerState) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  logger: Logger;
  /** Milliseconds between two looks at which hooks there are. */
  everyMs?: number;
}

interface Consumer {
  /** What it was started with (JSON). */
  settings: string;
  state: ConsumerState;
  stop: AbortController;
  ended: Promise<void>;
}

const settingsSchema = z.record(
  z.enum([
    'project',
    'integration',
    'exchange',
    'exchangeType',
    'queue',
    'bindingKey',
    'consumerTag',
  ]),
  z.string(),
);

/** The consumers of all hooks of a `hooks` process, and the hook's listener that says which there are to be. */
export interface Consumers {
  listener: TaskListener;
  start(): void;
  /** Finishes what is being taken; resolves when all have ended. */
  stop(): Promise<void>;
  states(): ReadonlyMap<string, ConsumerState>;
}

/**
 * Every replica consumes every queue; the broker hands each message to one of them. Which queues these are stands in one
 * hash of Redis (uuid → settings), written when a task is kept, started, stopped or removed through any replica, and
 * looked at every two seconds by all.
 */
export function createConsumers(deps: ConsumersDeps): Consumers {
  const { redis, logger, everyMs = 2_000 } = deps;
  const running = new Map<string, Consumer>();
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> | undefined;
  let stopped = true;

  function begin(uuid: string, text: string): void {
    const settings = settingsSchema.safeParse(JSON.parse(text));
    if (!settings.success)
      return logger.warn({ hook: uuid }, 'the kept settings of a queue are unreadable');
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

  async function end(uuid: string, consumer: Consumer): Promise<void> {
    running.delete(uuid);
    consumer.stop.abort();
    await consumer.ended;
  }

  async function reconcile(): Promise<void> {
    const wanted = new Map(Object.entries(await redis.hgetall(KEYS.queues)));
    const leaving = [...running].filter(([uuid, { settings }]) => wanted.get(uuid) !== settings);
    await Promise.all(leaving.map(([uuid, consumer]) => end(uuid, consumer)));
    for (const [uuid, settings] of wanted)
      if (!stopped && !running.has(uuid)) begin(uuid, settings);
  }

  /** Looks at once; two at a time would start a consumer twice. */
  async function look(): Promise<void> {
    if (stopped) return;
    await underWay;
    if (stopped) return;
    clearTimeout(timer);
    underWay = reconcile()
      .catch((error: unknown) =>
        logger.debug({ error: errorText(error) }, 'which queues to consume is not known'),
      )
      .finally(() => {
        underWay = undefined;
        if (!stopped) timer = setTimeout(() => void look(), everyMs).unref();
      });
    await underWay;
  }

  async function want({ uuid, config }: ListenedTask): Promise<void> {
    const settings = readSettings(config);
    if ('problem' in settings) return unwant({ uuid });
    await redis.hset(KEYS.queues, uuid, JSON.stringify(settings));
    void look();
  }

  async function unwant({ uuid }: { uuid: string }): Promise<void> {
    await redis.hdel(KEYS.queues, uuid);
    void look();
  }

  return {
    listener: {
      async kept(task) {
        // A task that an operator stopped is told of, too.
        if ((await redis.sismember(KEYS.stopped, task.uuid)) === 1) return;
        await want(task);
      },
      started: want,
      stopped: unwant,
      removed: unwant,
    },
    start() {
      stopped = false;
      void look();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await underWay;
      await Promise.all([...running].map(([uuid, consumer]) => end(uuid, consumer)));
    },
    states: () => new Map([...running].map(([uuid, { state }]) => [uuid, state])),
  };
}
