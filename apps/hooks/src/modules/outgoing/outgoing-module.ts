import type { HookModule } from '../hook-module';
import { createOutgoingProcessors } from './outgoing-processors';
import { createOffThread } from './worker-thread/off-thread';

/** Tasks of `POST /task/execute`, with one execution for each run that calls the hook. */
export const outgoing: HookModule = {
  types: ['OutgoingWebhook', 'OutgoingWorkflow'],
  unlisted: true,
  ordering: 'any',
  normalize: ({ config }) => ({ method: '', config }),
  create: (resources) => ({
    work({ ending, killed }) {
      const { api, callApi, logger, now, config, stores, queues, workMetrics } = resources;
      const offThread = createOffThread();
      killed.addEventListener('abort', offThread.stop, { once: true });
      const processors = createOutgoingProcessors(config.outgoing, {
        ...{ api, callApi, logger, now, ending, killed, offThread },
        retryDelayMs: config.retryDelaySeconds * 1_000,
        retryError: config.retryError,
        proxies: config.proxies,
        store: stores.deliveries,
        metrics: workMetrics,
        resume: queues.hooks.goOnSoon,
      });
      return { processors };
    },
  }),
};
