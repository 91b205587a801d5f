// The only file of this tool that looks into `hooks`. A kill point is the very script that the
// service runs, so the proxy has to know its text; and what the script was given tells which
// delivery was hit.
import { BEGIN_DUE_CLEANUPS as beginDueCleanups } from '../../libs/hooks-store/src/cleanups/due-cleanups.lua';
import { FINISH_CLEANUP as finishCleanup } from '../../libs/hooks-store/src/cleanups/process-cleanup.lua';
import { ACCEPT_DELIVERY as acceptDelivery } from '../../libs/hooks-store/src/deliveries/accept-delivery.lua';
import { FINISH_EXECUTION as finishExecution } from '../../libs/hooks-store/src/deliveries/process-execution.lua';
import { TAKE_DUE as takeDue } from '../../libs/hooks-store/src/schedules/schedule-scripts.lua';

export const ACCEPT_DELIVERY = acceptDelivery.lua;
export const FINISH_EXECUTION = finishExecution.lua;
export const TAKE_DUE = takeDue.lua;
export const BEGIN_DUE_CLEANUPS = beginDueCleanups.lua;
export const FINISH_CLEANUP = finishCleanup.lua;

/**
 * What names the run of the message that ACCEPT_DELIVERY was to take in. @throws Error when there
 * is none
 */
export function messageHashIn(words: string[]): string {
  for (const word of words) {
    const message = /"rabbitmq":\{"message":"([^"]+)"/.exec(word)?.[1] ?? '';
    const hash = /"hash":"([0-9a-f]{40})"/.exec(Buffer.from(message, 'base64').toString())?.[1];
    if (hash) return hash;
  }
  throw new Error('The script that takes messages in was given none');
}

/**
 * The pushed commit of the delivery that ACCEPT_DELIVERY was to take in. @throws Error when there
 * is none
 */
export function pushedHashIn(words: string[]): string {
  for (const word of words) {
    // The body of the delivery is one of them.
    const hash = /"hash":"([0-9a-f]{40})"/.exec(word)?.[1];
    if (hash) return hash;
  }
  throw new Error('The script that takes deliveries in was given none');
}
