import type { SignatureMode } from '@cds/config';
import type { TaskType } from '@cds/wire';
import type { Redis } from 'ioredis';
import { hookKeys, KEYS, keysOf } from '../redis-keys';
import type { ExecutionState } from '../execution';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
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
import { FINISH_EXECUTION } from './finish-execution.lua';
import { LOOK_UP_HOOK } from './look-up-hook.lua';
import { REQUEUE_AT_TAIL } from './requeue-at-tail.lua';
import { SAVE_STATE } from './save-state.lua';
import { TAKE_PENDING } from './take-pending.lua';

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
  const { redis, executionHistory, deadLetters, keyRepair = NO_KEY_REPAIR } = deps;
  const lookUpHook = LOOK_UP_HOOK.on(redis);
  const acceptDelivery = ACCEPT_DELIVERY.on(redis);
  const takePending = TAKE_PENDING.on(redis);
  const saveState = SAVE_STATE.on(redis);
  const finishExecution = FINISH_EXECUTION.on(redis);
  const requeueAtTail = REQUEUE_AT_TAIL.on(redis);

  return {
    /** One round trip. */
    async lookUp(uuid: string): Promise<HookOnFile | AbsentHook> {
      const found = await keyRepair.hook(uuid, () =>
        lookUpHook({ task: hookKeys(uuid).task, mark: KEYS.mark, tasks: KEYS.tasks }, { uuid }),
      );
      const { type, method, signed, synchronizedAt, isTask } = found;
      if (!type)
        return {
          kind: 'unknown',
          synchronizedAt: synchronizedAt === null ? undefined : Number(synchronizedAt),
          vanished: isTask,
        };
      return { kind: 'known', type: type as TaskType, method: method ?? '', signed };
    },

    /** Stores a delivery; it is in Redis when this returns `accepted`. */
    async accept(delivery: DeliveryToAccept): Promise<Acceptance> {
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
      return keyRepair.hook(uuid, () => acceptDelivery(keysOf(uuid), args, changes));
    },

    /** The oldest pending execution, for the holder of the lock. */
    async takePending(uuid: string, lockToken: string, jobId: string): Promise<TakenExecution> {
      return keyRepair.hook(uuid, () => takePending(keysOf(uuid), { lockToken, uuid, job: jobId }));
    },

    /** Moves the oldest pending execution behind the others. `only`: there are no others. */
    async requeueAtTail(
      { uuid, lockToken }: HeldLock,
      id: string,
    ): Promise<'ok' | 'only' | 'lost'> {
      return keyRepair.hook(uuid, () => requeueAtTail(hookKeys(uuid), { lockToken, id }));
    },

    /**
     * Saves progress; with any result but `ok`, the holder must stop.
     * @param before the state as this holder last read or saved it (JSON)
     * @param begun the number of begins with this one; 0 after progress
     */
    async save(
      { uuid, lockToken }: HeldLock,
      id: string,
      state: string,
      before: string,
      begun: number,
    ): Promise<Saved> {
      const args = { lockToken, id, state, before, begun };
      return keyRepair.hook(uuid, () => saveState(hookKeys(uuid), args));
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
      const reply = await keyRepair.hook(uuid, () => finishExecution(keysOf(uuid), args));
      if (reply.kind !== 'ok') return { saved: reply.kind, dropped: 0 };
      const { dropped, taken: next } = reply;
      return { saved: 'ok', dropped, ...(next ? { next } : {}) };
    },
  };
}
