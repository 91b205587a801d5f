import type { Logger } from '@cds/service';
import type { Queue } from 'bullmq';

export type Maintenance = ReturnType<typeof createMaintenance>;

/**
 * Pauses the processing for all replicas while an administrator maintains CDS. BullMQ keeps the
 * pause in Redis; deliveries are accepted and stored meanwhile.
 */
export function createMaintenance(deps: {
  hooks: { readonly queue: Queue };
  cleanups: { readonly queue: Queue };
  logger: Logger;
}) {
  const { hooks, cleanups, logger } = deps;

  return {
    isOn: (): Promise<boolean> => hooks.queue.isPaused(),

    /** Safe to repeat. What is in progress ends. */
    async set(on: boolean): Promise<void> {
      const was = await hooks.queue.isPaused();
      // The hook queue is the last: after a crash in between, a repetition does the rest.
      for (const { queue } of [cleanups, hooks]) await (on ? queue.pause() : queue.resume());
      if (on && !was) logger.warn({}, 'maintenance of CDS begins: deliveries are stored and wait');
      if (!on && was) logger.info({}, 'maintenance of CDS ends: stored deliveries are processed');
    },

    /** Says in the log that the processing is still paused. Never rejects. */
    async warnAtStart(): Promise<void> {
      try {
        if (await hooks.queue.isPaused())
          logger.warn({}, 'maintenance of CDS goes on: deliveries are stored and wait');
      } catch (error) {
        logger.debug({ error }, 'failed to ask Redis whether CDS is maintained');
      }
    },
  };
}
