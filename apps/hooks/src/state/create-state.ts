import { createStateGuard, createWrites, stateOwnerOf } from '@cds/redis';
import { monitoringLine as line } from '@cds/service';
import type { MonitoringLine } from '@cds/wire';
import type { Resources } from '../resources';
import { createSynchronization } from '../tasks/synchronize-tasks';
import type { HandleTasks } from '../tasks/task-handlers';
import {
  createHooksStateMark,
  createSynchronizedStore,
  createTaskStore,
  STATE_FORMAT,
} from '@cds/hooks-store';
import { createTaskWatch } from './task-watch';

export type State = Awaited<ReturnType<typeof createState>>;

/**
 * Watches the owner of the state, its synchronization with the API, and what vanishes from it.
 * After a change of API or token, one task that the API lists as a hook proves the owner.
 */
export async function createState(
  resources: Resources,
  deps: {
    handleTasks: HandleTasks;
    /** Called when the state becomes that of this CDS, also after `lost`. */
    ours: () => void;
    /** Called when the state is not that of this CDS any more. */
    lost: () => void;
    ending: AbortSignal;
    /** Set here, read by stores that were created before. */
    own: { isOurs: boolean };
  },
) {
  const { redis, config, timing, api, registration, logger, stores } = resources;
  const { own } = deps;
  const store = createSynchronizedStore({ redis });
  let synchronizedAt: number | undefined;
  const loss = 'Redis refuses writes: webhooks are refused with 503';
  const writes = createWrites({ logger, loss });

  const synchronization = createSynchronization({
    ...resources,
    ...deps,
    synchronized: {
      ...store,
      async note(made, began) {
        await store.note(made, began);
        synchronizedAt = began;
      },
    },
    may: () => own.isOurs && registration.registered,
  });
  const watch = createTaskWatch({
    ...{ redis, logger, tasks: stores.tasks },
    async vanished() {
      synchronizedAt = undefined;
      await store.forget();
      synchronization.request();
    },
  });
  const owner = await stateOwnerOf({ ...config.api, webhookKey: config.webhookKeys[0] });
  // Without repairs: the state may be that of another CDS.
  const tasksOfAny = createTaskStore({ redis });
  const guard = createStateGuard({
    ...{ redis, logger, everyMs: timing.sweepMs, askAgainMs: timing.askAgainMs },
    claim: createHooksStateMark(redis, [owner]),
    understood: STATE_FORMAT,
    service: 'hooks',
    foreign: 'Redis holds the state of another CDS, of which the API lists no hook',
    unproven:
      'the API or the token is another than that of the state in Redis: waiting for the hooks ' +
      'of the API',
    mayProve: () => registration.registered,
    async prove() {
      let hooksOfApi = 0;
      for await (const hooks of api.workflowHooks()) {
        hooksOfApi += hooks.length;
        if (await tasksOfAny.isAny(hooks.map(({ uuid }) => uuid))) return 'proven';
      }
      return { hooksOfApi };
    },
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
      if (refusal !== undefined) {
        const isWaiting = guard.status().kind === 'unproven';
        return [line(isWaiting ? 'WARN' : 'AL', 'State', refusal)];
      }
      const lost = watch.lost();
      return [
        synchronizedAt === undefined
          ? line('WARN', 'State', 'the hooks of the API were not read yet')
          : line('OK', 'State', 'in line with the hooks of the API'),
        line(lost > 0 ? 'AL' : 'OK', 'Deliveries Lost', lost),
      ];
    },

    /** Why Redis refuses writes, as of the last test write. */
    whyNoWrites: writes.refusal,

    start: guard.start,
    stop: guard.stop,
  };
}
