import type { SignatureMode } from '@cds/config';
import type { Redis } from 'ioredis';
import type { ExecutionState } from '../execution';
import type { KeyRepair } from '../unreadable/set-aside';
import { createHookScripts } from '../hook-scripts';
import { writeExecution } from '../stored-execution-text';
import type {
  AbsentHook,
  Acceptance,
  DeliveryToAccept,
  HookOnFile,
  Saved,
  TakenExecution,
} from './delivery-types';
import type { HeldLock } from '../hook-lock/hook-lock';
import { ACCEPT_DELIVERY } from './accept-delivery.lua';
import { LOOK_UP_HOOK } from './look-up-hook.lua';
import {
  FINISH_EXECUTION,
  REQUEUE_AT_TAIL,
  SAVE_STATE,
  TAKE_PENDING,
} from './process-execution.lua';

export type DeliveryStore = ReturnType<typeof createDeliveryStore>;

/** Stores, peeks at, saves and finishes the executions of hooks; one script each. */
export function createDeliveryStore(deps: {
  redis: Redis;
  executionHistory: number;
  signature: SignatureMode;
  /** Dead letters to keep for each hook. */
  deadLetters: number;
  keyRepair?: KeyRepair;
}) {
  const { executionHistory, deadLetters } = deps;
  const run = createHookScripts(deps);

  return {
    /** One round trip. */
    lookUp: (uuid: string): Promise<HookOnFile | AbsentHook> => run(LOOK_UP_HOOK, uuid, { uuid }),

    /** Stores a delivery; it is in Redis when this returns `accepted`. */
    accept(delivery: DeliveryToAccept): Promise<Acceptance> {
      const { uuid, received, acceptedAt, requestId, traceparent, validation } = delivery;
      // JSON leaves an undefined one out.
      const content = {
        ...{ ...received, accepted_at: acceptedAt, request_id: requestId },
        traceparent,
      };
      const { json, body } = writeExecution(content, delivery.body);
      const args = {
        method: delivery.method,
        validatedFor: delivery.validatedFor,
        validation,
        nowUs: acceptedAt * 1000,
        uuid,
        execution: json.slice(1),
        body,
        ignoredState: validation === 'ignore' ? JSON.stringify(delivery.ignored) : '',
        history: executionHistory,
        signature: delivery.signature === 'right' ? 'right' : 'none',
        signatureMode: delivery.signature === 'not-needed' ? 'off' : deps.signature,
        requestUuid: delivery.requestUuid,
        duplicateState: delivery.requestUuid === '' ? '' : JSON.stringify(delivery.duplicate),
        change: delivery.change ?? '',
        seenAfter: delivery.seenAfter ?? '',
      };
      const changes = delivery.refChanges ?? [];
      return run(ACCEPT_DELIVERY, uuid, args, changes);
    },

    /** The oldest pending execution, for the holder of the lock. */
    takePending: (uuid: string, lockToken: string, job: string) =>
      run(TAKE_PENDING, uuid, { lockToken, uuid, job }),

    /** Moves the oldest pending execution behind the others. `only`: there are no others. */
    requeueAtTail: ({ uuid, lockToken }: HeldLock, id: string) =>
      run(REQUEUE_AT_TAIL, uuid, { lockToken, id }),

    /**
     * Saves progress; with any result but `ok`, the holder must stop.
     * @param before the state as this holder last read or saved it (JSON)
     * @param begun the number of begins with this one; 0 after progress
     */
    save(
      { uuid, lockToken }: HeldLock,
      id: string,
      state: string,
      before: string,
      begun: number,
    ): Promise<Saved> {
      return run(SAVE_STATE, uuid, { lockToken, id, state, before, begun });
    },

    /**
     * Moves the execution to the history or the dead letters, and takes the next one if asked to.
     * @param before as for `save`
     * @param nextFor the hook's job, as for `takePending`; takes no next one when not given
     * @returns `dropped`: dead letters of the hook removed for it; `next`: only with `ok`; where it
     *   is `empty`, the lock is released
     */
    async finish(
      { uuid, lockToken }: HeldLock,
      id: string,
      state: ExecutionState,
      before: string,
      nextFor = '',
    ): Promise<{ saved: Saved; dropped: number; next?: TakenExecution }> {
      const args = {
        lockToken,
        uuid,
        id,
        before,
        deadLetters,
        state: JSON.stringify(state),
        history: executionHistory,
        isFailed: state.failed,
        retries: state.retries,
        job: nextFor,
      };
      const reply = await run(FINISH_EXECUTION, uuid, args);
      if (reply.kind !== 'ok') return { saved: reply.kind, dropped: 0 };
      const { dropped, taken: next } = reply;
      return { saved: 'ok', dropped, ...(next ? { next } : {}) };
    },
  };
}
