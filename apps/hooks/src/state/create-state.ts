import type { CdsApiClient } from '@cds/api-client';
import type { HooksConfig } from '@cds/config';
import { createWrites, stateOwnerOf } from '@cds/redis';
import type { Registration } from '@cds/service';
import type { MonitoringLine } from '@cds/wire';
import type { Redis } from 'ioredis';
import type { SynchronizeTasksDeps } from '../tasks/synchronize-tasks';
import { createSynchronization } from '../tasks/synchronization';
import { createSynchronizedStore } from '@cds/hooks-store';
import { createHooksStateGuard } from './state-guard';
import { createTaskWatch } from './task-watch';

export interface StateDeps extends Omit<SynchronizeTasksDeps, 'synchronized' | 'api'> {
  redis: Redis;
  config: Pick<HooksConfig, 'api' | 'webhookKeys'>;
  api: CdsApiClient;
  registration: Registration;
  /** Called when the state becomes that of this CDS, also after `lost`. */
  ours: () => void;
  /** Called when the state is not that of this CDS any more. */
  lost: () => void;
  ending: AbortSignal;
  /** Set here, read by stores that were created before. */
  own: { isOurs: boolean };
  /** Between two checks, and before the API is asked again about the owner (ms). */
  everyMs?: number | undefined;
  askAgainMs?: number | undefined;
}

export type State = Awaited<ReturnType<typeof createState>>;

/** Watches the owner of the state, its synchronization with the API, and what vanishes from it. */
export async function createState(deps: StateDeps) {
  const { redis, registration, logger, ending, config, own } = deps;
  const store = createSynchronizedStore({ redis });
  let synchronizedAt: number | undefined;
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
    owner: [await stateOwnerOf({ ...config.api, webhookKey: config.webhookKeys[0] })],
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
  /** A check that finds a new owner requests the synchronization by itself. */
  async function checkAndSynchronize(): Promise<void> {
    const wasOurs = own.isOurs;
    await guard.check();
    if (own.isOurs && wasOurs) synchronization.request();
  }
  void registration.firstRegistration().then(checkAndSynchronize);

  return {
    /** To be called for each connection: Redis may be another one, or have lost its tasks. */
    connected: checkAndSynchronize,

    /**
     * Why deliveries are refused. Those of stored tasks are accepted while the owner is unproven.
     */
    whyNoDelivery: (): string | undefined =>
      guard.status().kind === 'unproven' ? undefined : guard.refusal(),

    /** Why the routes of the API refuse; undefined if they do not. */
    refusal: guard.refusal,

    /** Whether the hooks of the API have been read since Redis was emptied. */
    isSynchronized: (): boolean => synchronizedAt !== undefined,

    /** Synchronizes after a delivery of an unknown hook, at most once a minute. */
    async askedByDelivery(): Promise<void> {
      try {
        if (own.isOurs && (await store.mayAsk())) synchronization.request();
      } catch (error) {
        logger.debug({ error }, 'failed to request a synchronization');
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

    /** Why Redis refuses writes, as of the last test write. */
    whyNoWrites: writes.refusal,

    start: guard.start,
    stop: guard.stop,
  };
}
