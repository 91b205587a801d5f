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
    work(period) {
      const offThread = createOffThread();
      period.killed.addEventListener('abort', offThread.stop, { once: true });
      return { processors: createOutgoingProcessors(resources, period, offThread) };
    },
  }),
};
