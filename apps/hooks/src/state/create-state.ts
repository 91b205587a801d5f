import type { CdsApiClient } from '@cds/api-client';
import type { HooksConfig } from '@cds/config';
import { createWrites, stateOwnerOf } from '@cds/redis';
import type { Logger, Registration } from '@cds/service';
import type { MonitoringLine } from '@cds/wire';
import type { Redis } from 'ioredis';
import type { SynchronizeTasksDeps } from '../tasks/synchronize-tasks';
import { createSynchronization } from '../tasks/synchronization';
import { createSynchronizedStore } from '@cds/hooks-store';
import { createHooksStateGuard } from './state-guard';
import { createTaskWatch } from './task-watch';

export interface StateDeps extends Omit<SynchronizeTasksDeps, 'synchronized' | 'api'> {
  redis: Redis;
  config: Pick<HooksConfig, 'api'>;
  api: CdsApiClient;
  registration: Registration;
  logger: Logger;
  /** The state is ours: what works on it may begin. May be called again after `lost`. */
  ours: () => void;
  /** It is not, or not any more. */
  lost: () => void;
  ending: AbortSignal;
  /** Whether the state is ours, for those who were made before. */
  own: { isOurs: boolean };
  /** Between two looks, and before the API is asked again whose the state is (ms). */
  everyMs?: number | undefined;
  askAgainMs?: number | undefined;
}

export type State = Awaited<ReturnType<typeof createState>>;

/**
 * Whose the state in Redis is, whether the hooks of the API are in it, and what of it has vanished.
 */
export async function createState(deps: StateDeps) {
  const { redis, registration, logger, ending, config } = deps;
  const store = createSynchronizedStore({ redis });
  let synchronizedAt: number | undefined;
  const { own } = deps;
  const loss = 'Redis refuses writes: webhooks are refused with 503';
  const writes = createWrites({ logger, loss });

  const synchronization = createSynchronization({
    ...deps,
    synchronized: {
      ...store,
      async note(made, began) {
        await store.note(made, began);
        synchronizedAt = began;
      },
    },
    may: () => own.isOurs && registration.registered,
    ending,
  });
  const watch = createTaskWatch({
    redis,
    tasks: deps.tasks,
    logger,
    async vanished() {
      synchronizedAt = undefined;
      await store.forget();
      synchronization.request();
    },
  });
  const guard = createHooksStateGuard({
    ...deps,
    owner: [await stateOwnerOf(config.api)],
    async onOurs(seen) {
      const wasOurs = own.isOurs;
      const isFirst = seen.synchronizedAt === undefined && synchronizedAt !== undefined;
      own.isOurs = true;
      synchronizedAt = seen.synchronizedAt;
      if (!wasOurs) deps.ours();
      if (!wasOurs || seen.isNew || isFirst) synchronization.request();
      await watch.look(seen.isNew);
    },
    onWrite: writes.note,
    onLost() {
      own.isOurs = false;
      deps.lost();
    },
  });
  /** Where the look finds the state to be ours that was not, the look itself has the hooks read. */
  async function lookAndSynchronize(): Promise<boolean> {
    const wasOurs = own.isOurs;
    await guard.check();
    if (own.isOurs && wasOurs) synchronization.request();
    return own.isOurs;
  }
  void registration.firstRegistration().then(lookAndSynchronize);

  return {
    /**
     * After a connection: Redis may be another one, or have lost its tasks. @returns whether the
     * state is ours
     */
    connected: lookAndSynchronize,

    /**
     * Why no delivery may be taken. While the API has not said whose the state is, those of its
     * tasks are.
     */
    whyNoDelivery: (): string | undefined =>
      guard.status().kind === 'unproven' ? undefined : guard.refusal(),

    /** Why nothing may be done for anybody; undefined where it may. */
    refusal: (): string | undefined => guard.refusal(),

    /** Whether the hooks of the API have been read since Redis was emptied. */
    isSynchronized: (): boolean => synchronizedAt !== undefined,

    /**
     * For a delivery that shows that a hook is missing: reads the hooks of the API, once a minute
     * at most.
     */
    async askedByDelivery(): Promise<void> {
      try {
        if (own.isOurs && (await store.mayAsk())) synchronization.request();
      } catch (error) {
        logger.debug({ error }, 'the hooks of the API are not asked for now');
      }
    },

    lines(): MonitoringLine[] {
      const refusal = guard.refusal();
      const line = (status: 'OK' | 'WARN' | 'AL', component: string, value: string) => ({
        ...{ status, component, value, type: '' },
      });
      if (refusal !== undefined) {
        const isWaiting = guard.status().kind === 'unproven';
        return [line(isWaiting ? 'WARN' : 'AL', 'State', refusal)];
      }
      const lost = watch.lost();
      return [
        synchronizedAt === undefined
          ? line('WARN', 'State', 'the hooks of the API were not read yet')
          : line('OK', 'State', 'in line with the hooks of the API'),
        line(lost > 0 ? 'AL' : 'OK', 'Deliveries Lost', String(lost)),
      ];
    },

    /** Why Redis refuses writes, as of the last one that each replica makes every few seconds. */
    whyNoWrites: writes.refusal,

    lost: watch.lost,
    start: guard.start,
    stop: guard.stop,
  };
}
