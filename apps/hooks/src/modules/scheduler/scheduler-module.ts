import { CdsError, type HookConfig, isCdsError } from '@cds/wire';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import type { HookModule } from '../hook-module';
import { planSchedule } from './plan-schedule';
import { createScheduleTaskHandler } from './schedule-task-handler';
import { scheduleOf } from './scheduled-times';
import { createSchedulerLoop } from './scheduler-loop';

export const scheduler: HookModule = {
  types: ['Scheduler'],
  normalize({ config }) {
    check(config);
    return { method: '', config };
  },
  /** For tasks that an older version stored without a check. */
  unsupported({ config }) {
    try {
      check(config ?? {});
      return undefined;
    } catch (error) {
      if (isCdsError(error)) return error.message;
      throw error;
    }
  },
  plan: ({ execution }) => planSchedule(execution.config ?? {}),
  create(resources) {
    return {
      tasks: { Scheduler: createScheduleTaskHandler(resources.stores.schedules) },
      work() {
        const loop = createSchedulerLoop(resources);
        loop.start();
        return { stop: loop.stop };
      },
    };
  },
};

/** @throws CdsError 400 */
function check(config: HookConfig): void {
  scheduleOf(config);
  try {
    planSchedule(config);
  } catch (error) {
    if (!(error instanceof MalformedExecutionError)) throw error;
    throw new CdsError('wrongRequest', { from: error.message, cause: error });
  }
}
