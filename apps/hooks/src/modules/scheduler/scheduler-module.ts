import { CdsError, type HookConfig, isCdsError } from '@cds/wire';
import { isMalformedDelivery } from '../../payloads/malformed-delivery';
import { planSchedule } from './plan-schedule';
import { scheduleOf } from './scheduled-times';
import type { Kind } from '../hook-module';

/** Hooks that run by the clock. */
export const scheduler: Kind = {
  /** Of a task that an older version kept without reading it. */
  refusal(config) {
    try {
      check(config ?? {});
      return undefined;
    } catch (error) {
      if (isCdsError(error)) return error.message;
      throw error;
    }
  },
  keep({ config }) {
    check(config);
    return { method: '', config };
  },
};

/** @throws CdsError 400 */
function check(config: HookConfig): void {
  scheduleOf(config);
  try {
    planSchedule(config);
  } catch (error) {
    if (!isMalformedDelivery(error)) throw error;
    throw new CdsError('wrongRequest', { from: error.message, cause: error });
  }
}
