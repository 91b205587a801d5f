import { CdsError } from '@cds/wire';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import type { HookModule } from '../hook-module';
import type { HandledTask, TaskHandler } from '../task-handler';
import { polledHook } from './ask-for-events';
import { checkPolling } from './check-polling';
import { checkPollPayload, planPoll } from './plan-poll';
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
    const { stores, config } = resources;
    const store = stores.polls;
    // Redis decides by the task as it is now, since another replica may have changed it.
    const align = ({ uuid }: HandledTask) => store.align(uuid);
    const tasks: TaskHandler = {
      stored: align,
      started: ({ uuid, type }) => store.align(uuid, type === 'RepoPoller'),
      stopped: align,
      removed: align,
      nextRun: ({ uuid }) => store.next(uuid),
      leaveOut: ({ uuid }, due) => store.leaveOut({ uuid, due }),
    };
    const checkStart = (task: HandledTask) => checkPolling(resources, task);
    // Where they are not polled, a look at each of thousands would find nothing. Polls of before
    // the configuration was changed end when they are due.
    const ofWebhooks = config.reconcile.intervalSeconds > 0 ? { RepoWebHook: tasks } : {};
    return {
      tasks: { RepoPoller: { ...tasks, checkStart }, ...ofWebhooks },
      work() {
        const loop = createPoller(resources);
        loop.start();
        return { stop: loop.stop };
      },
    };
  },
};
