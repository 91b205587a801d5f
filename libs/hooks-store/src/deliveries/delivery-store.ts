import { defineScript } from '@cds/redis';
import type { SignatureMode } from '@cds/config';
import type { TaskType } from '@cds/wire';
import type { Redis } from 'ioredis';
import { hookKeys, KEYS, SIGNED_FIELD, SYNCHRONIZED_FIELD } from '../redis-keys';
import type { ExecutionState } from '../execution';
import { type Mend, NO_MEND } from '../unreadable/set-aside';
import { repliesOf } from '../dead-letters/dead-letter';
import { writeExecution } from '../stored-execution-text';
import type {
  AbsentHook,
  Acceptance,
  DeliveryToAccept,
  HookOnFile,
  Saved,
  TakenHead,
} from './delivery-types';
import type { Claim } from '../hook-lock/hook-lock';
import { readTaken, type TakeReply } from './read-pending-execution';
import { ACCEPT_DELIVERY } from './accept-delivery.lua';
import { FINISH_EXECUTION } from './finish-execution.lua';
import { MOVE_BACK } from './requeue-at-tail.lua';
import { SAVE_STATE } from './save-state.lua';
import { TAKE_HEAD } from './take-pending.lua';

/** As the script returns it. */
type AcceptReply =
  | ['unknown', string, number]
  | ['method' | 'unsigned' | 'refused']
  | ['judge', TaskType]
  | ['duplicate', TaskType, string, number, number?]
  | ['accepted', TaskType, string, number];

const HEADS = [KEYS.heads, KEYS.stoppedHeads];
const CLEANUPS = [KEYS.cleanups, KEYS.stoppedCleanups, KEYS.failedCleanups];

export type DeliveryStore = ReturnType<typeof createDeliveryStore>;

/** The deliveries of the hooks in Redis: taken in, taken from the head, finished. One script each. */
export function createDeliveryStore(deps: {
  redis: Redis;
  executionHistory: number;
  signature: SignatureMode;
  /** To keep for each hook. */
  deadLetters: number;
  mend?: Mend;
}) {
  const { redis, executionHistory, deadLetters, mend = NO_MEND } = deps;
  const acceptScript = defineScript(redis, 'cdsbbAcceptDelivery', ACCEPT_DELIVERY, 15);
  const takeScript = defineScript(redis, 'cdsbbTakeHead', TAKE_HEAD, 14);
  const saveScript = defineScript(redis, 'cdsbbSaveState', SAVE_STATE, 4);
  const finishScript = defineScript(redis, 'cdsbbFinishExecution', FINISH_EXECUTION, 17);

  const moveBackScript = defineScript(redis, 'cdsbbMoveBack', MOVE_BACK, 2);

  return {
    /** One lookup. */
    async lookUp(uuid: string): Promise<HookOnFile | AbsentHook> {
      const { task } = hookKeys(uuid);
      const replies = await mend.hook(uuid, () =>
        repliesOf(
          redis
            .pipeline()
            .hmget(task, 'type', 'method', SIGNED_FIELD)
            .hget(KEYS.mark, SYNCHRONIZED_FIELD)
            .sismember(KEYS.tasks, uuid),
        ),
      );
      const [kept, synchronized, isTask] = replies as [(string | null)[], string | null, number];
      const [type, method, signed] = kept;
      if (!type) return absentHook(synchronized ?? '', isTask);
      return {
        kind: 'known',
        type: type as TaskType,
        method: method ?? '',
        signed: signed === '1',
      };
    },

    /** Keeps a delivery; when this returns `accepted` it is in Redis. */
    async accept(delivery: DeliveryToAccept): Promise<Acceptance> {
      const { uuid, received, acceptedAt, requestId, verdict } = delivery;
      const keys = hookKeys(uuid);
      const content = { ...received, accepted_at: acceptedAt, request_id: requestId };
      const { json, body } = writeExecution(content, delivery.body);
      const reply = (await mend.hook(uuid, () =>
        acceptScript(
          [
            keys.task,
            keys.executions,
            keys.waiting,
            KEYS.pending,
            KEYS.waitingTotal,
            keys.done,
            keys.states,
            KEYS.failed,
            keys.seen,
            ...HEADS,
            keys.changes,
            keys.refs,
            KEYS.mark,
            KEYS.tasks,
          ],
          [
            delivery.method,
            delivery.judgedFor,
            verdict,
            acceptedAt * 1000,
            uuid,
            json.slice(1),
            body,
            verdict === 'ignore' ? JSON.stringify(delivery.ignored) : '',
            executionHistory,
            delivery.signature === 'right' ? 'right' : 'none',
            delivery.signature === 'not-needed' ? 'off' : deps.signature,
            delivery.requestUuid,
            delivery.requestUuid === '' ? '' : JSON.stringify(delivery.duplicate),
            delivery.change ?? '',
            delivery.seenAfter ?? '',
            ...(delivery.refChanges ?? []).flatMap(({ index, ref, before, after }) => [
              ...[index, ref, before, after],
            ]),
          ],
        ),
      )) as AcceptReply;
      switch (reply[0]) {
        case 'accepted':
          return { kind: 'accepted', type: reply[1], id: reply[2], waiting: reply[3] };
        case 'duplicate':
          return {
            kind: 'duplicate',
            type: reply[1],
            firstId: reply[2],
            anotherBody: reply[3] === 1,
            isDouble: reply[4] === 1,
          };
        case 'judge':
          return { kind: 'judge', type: reply[1] };
        case 'unknown':
          return absentHook(reply[1], reply[2]);
        case 'method':
          return { kind: 'wrong-method' };
        default:
          return { kind: reply[0] };
      }
    },

    /** The head of the hook's list, for its holder. */
    async takeHead(uuid: string, holder: string, jobId: string): Promise<TakenHead> {
      const keys = hookKeys(uuid);
      const reply = (await mend.hook(uuid, () =>
        takeScript(
          [
            keys.task,
            keys.waiting,
            keys.executions,
            keys.states,
            keys.owner,
            KEYS.pending,
            KEYS.waitingTotal,
            KEYS.apiWaiters,
            ...CLEANUPS,
            ...HEADS,
            KEYS.lostTotal,
          ],
          [holder, uuid, jobId],
        ),
      )) as TakeReply;
      return readTaken(reply);
    },

    /** Lets the head wait behind the others. `only`: there are no others. */
    async moveBack({ uuid, holder }: Claim, id: string): Promise<'ok' | 'only' | 'lost'> {
      const { waiting, owner } = hookKeys(uuid);
      return (await mend.hook(uuid, () => moveBackScript([waiting, owner], [holder, id]))) as
        'ok' | 'only' | 'lost';
    },

    /**
     * Keeps how far the head has come; anything but `ok` says that it must not be gone on with.
     * @param before the state as this holder last saw or kept it (JSON)
     * @param begun how often it is begun with this; 0: it got further
     */
    async save(
      { uuid, holder }: Claim,
      id: string,
      state: string,
      before: string,
      begun: number,
    ): Promise<Saved> {
      const keys = hookKeys(uuid);
      return (await mend.hook(uuid, () =>
        saveScript(
          [keys.task, keys.waiting, keys.states, keys.owner],
          [holder, id, state, before, begun],
        ),
      )) as Saved;
    },

    /**
     * Moves the head into the history, or to the dead letters, and takes the next one where it is asked to.
     * @param before as for `save`
     * @param nextFor the hook's job, as for `takeHead`; the next one is not taken when not given
     * @returns also how many dead letters of the hook were dropped for it; `next` only with `ok`
     */
    async finish(
      { uuid, holder }: Claim,
      id: string,
      state: ExecutionState,
      before: string,
      nextFor = '',
    ): Promise<{ saved: Saved; dropped: number; next?: TakenHead }> {
      const keys = hookKeys(uuid);
      const [saved, dropped = 0, taken] = (await mend.hook(uuid, () =>
        finishScript(
          [
            keys.waiting,
            keys.states,
            keys.owner,
            keys.done,
            keys.executions,
            KEYS.waitingTotal,
            KEYS.failed,
            KEYS.pending,
            keys.dead,
            ...HEADS,
            keys.task,
            KEYS.apiWaiters,
            ...CLEANUPS,
            KEYS.lostTotal,
          ],
          [
            holder,
            uuid,
            id,
            JSON.stringify(state),
            executionHistory,
            state.failed ? 1 : 0,
            before,
            deadLetters,
            state.retries,
            nextFor,
          ],
        ),
      )) as [Saved, number?, TakeReply?];
      return { saved, dropped, ...(taken ? { next: readTaken(taken) } : {}) };
    },
  };
}

function absentHook(synchronized: string, isTask: number): AbsentHook {
  return {
    kind: 'unknown',
    synchronizedAt: synchronized === '' ? undefined : Number(synchronized),
    vanished: isTask === 1,
  };
}
