import { CdsError } from '@cds/wire';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import type { HookModule } from '../hook-module';
import { createCheckPolling } from './check-polling';
import { checkPollPayload, planPoll } from './plan-poll';
import { createPollHook } from './poll-hook';
import { createPollTaskHandler } from './poll-task-handler';
import { polledHook } from './polled-hook';
import { createPoller } from './poller';

/** Hooks whose repository is polled, and the polls of repository webhooks for lost deliveries. */
export const poller: HookModule = {
  types: ['RepoPoller'],
  normalize({ config }) {
    try {
      checkPollPayload(config);
    } catch (error) {
      if (!(error instanceof MalformedExecutionError)) throw error;
      throw new CdsError('wrongRequest', { from: error.message, cause: error });
    }
    return { method: '', config };
  },
  unsupported({ config }) {
    const hook = polledHook('', config);
    return typeof hook === 'string' ? hook : undefined;
  },
  plan({ execution: { type, config, poll } }) {
    if (!poll) throw new MalformedExecutionError('the execution holds no change');
    return planPoll({ type, config: config ?? {}, poll });
  },
  create(resources) {
    const { api, callApi, stores, queues, logger, now, config, timing, workMetrics } = resources;
    const { tracing } = resources;
    const store = stores.polls;
    const tasks = createPollTaskHandler({ store });
    const checkStart = createCheckPolling({ api, callApi, store });
    // Where they are not polled, a look at each of thousands would find nothing. Polls of before
    // the configuration was changed end when they are due.
    const ofWebhooks = config.reconcile.intervalSeconds > 0 ? { RepoWebHook: tasks } : {};
    return {
      tasks: { RepoPoller: { ...tasks, checkStart }, ...ofWebhooks },
      work() {
        const loop = createPoller({
          store,
          pollHook: createPollHook({
            ...{ api, callApi, store: stores.deliveries, logger, now },
            workArrived: queues.hooks.ensureSoon,
            reconcileSeconds: config.reconcile.intervalSeconds,
            shortestDelayMs: timing.pollMs,
          }),
          ...{ logger, tracing },
          polled: workMetrics.polled,
        });
        loop.start();
        return { stop: loop.stop };
      },
    };
  },
};
