import { defineScript } from '@cds/redis';
import type { SignatureMode } from '@cds/config';
import type { HookConfig, TaskType } from '@cds/wire';
import type { Redis } from 'ioredis';
import {
  hookKeys,
  KEYS,
  type ExecutionState,
  type KeptBody,
  type Mend,
  NO_MEND,
  parseState,
  readConfig,
  readWithBody,
  SIGNED_FIELD,
  type StoredExecution,
  timestampOfId,
  UnreadableExecutionError,
  writeExecution,
} from '@cds/hooks-store';
import type { RefChange } from '../payloads';
import type { Claim } from './hook-ownership';
import { ACCEPT_DELIVERY } from './scripts/accept-delivery.lua';
import { FINISH_EXECUTION } from './scripts/finish-execution.lua';
import { MOVE_BACK } from './scripts/move-back.lua';
import { SAVE_STATE } from './scripts/save-state.lua';
import { TAKE_HEAD } from './scripts/take-head.lua';

/** The types of hooks whose deliveries are worked off. */
export type ServedType = 'RepoWebHook' | 'Webhook';

/** What an execution holds of what was received. */
export type Received = Pick<StoredExecution, 'webhook' | 'rabbitmq' | 'poll'>;

/** What decides, before anything of a delivery is read, whether its hook may take it. */
export interface HookOnFile {
  type: TaskType;
  /** Of the requests that it takes. */
  method: string;
  /** Whether a delivery of it had a right signature before. */
  signed: boolean;
}

export interface DeliveryToAccept {
  uuid: string;
  /** Of the request. */
  method: string;
  /** The type of hook for which `verdict` was found. */
  judgedFor: ServedType | 'RabbitMQ' | 'RepoPoller';
  /** `ignore` keeps it as done, `refuse` keeps nothing. */
  verdict: 'accept' | 'ignore' | 'refuse';
  /** Whether it was signed; a wrong signature never comes as far as here. */
  signature: 'right' | 'none' | 'not-needed';
  /** Its X-Request-UUID, or what else names it; empty when it has none and so can be nothing sent again. */
  requestUuid: string;
  /** What names the change that a poll found: one that is known already is a duplicate without a trace. */
  change?: string;
  /** What a push, or a poll, tells of branches and tags. */
  refChanges?: readonly RefChange[];
  /** Of what a poll found: id of the newest execution of the hook when its look began. */
  seenAfter?: number;
  /** Milliseconds. */
  acceptedAt: number;
  /** Of the request, as it stands in the log. */
  requestId: string;
  received: Received;
  /** Of the request, where `received` does not hold it. */
  body?: Buffer;
  /** The state of an ignored one. */
  ignored: ExecutionState;
  /**
   * The state of one that came before; `{first}` stands for the timestamp of the first one, `{same}` for what they have in
   * common.
   */
  duplicate: ExecutionState;
}

export type Acceptance =
  | { kind: 'unknown' | 'wrong-method' | 'unsigned' | 'refused' }
  /** Judge it for this type and come again. */
  | { kind: 'judge'; type: TaskType }
  /** It came before; `firstId` is what it led to then. `isDouble`: another delivery told of all its changes. */
  | {
      kind: 'duplicate';
      type: TaskType;
      firstId: string;
      anotherBody: boolean;
      isDouble: boolean;
    }
  | { kind: 'accepted'; type: TaskType; id: string; waiting: number };

/** The oldest delivery that waits at a hook. */
export interface Head {
  type: TaskType;
  /** The hook's configuration now. */
  config: HookConfig | null;
  id: string;
  execution: StoredExecution;
  /** Why the execution cannot be read as it stands in Redis, where that is so. */
  unreadable?: string;
  /** Of the request that it brought, as it came; not everything brings one. */
  body: KeptBody;
  state: ExecutionState;
  /** The same as it stands in Redis; empty before the first try. */
  stateJson: string;
  /** Whether there is any cleanup at all, stopped and failed ones included. */
  anyCleanups: boolean;
  /** How often other processes began to work on it and did not come to an end; see {@link KeptHead.byItself}. */
  begun: number;
}

export type TakenHead =
  { kind: 'lost' | 'gone' | 'stopped' | 'empty' } | { kind: 'work'; head: Head };
export type Saved = 'ok' | 'lost' | 'gone' | 'stopped';

/** As the script returns it. */
type AcceptReply =
  | ['unknown' | 'method' | 'unsigned' | 'refused']
  | ['judge', TaskType]
  | ['duplicate', TaskType, string, number, number?]
  | ['accepted', TaskType, string, number];

/** As TAKE_HEAD returns it. */
type TakeReply = ['lost' | 'gone' | 'stopped' | 'empty'] | ['work', ...string[]];

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
  const acceptScript = defineScript(redis, 'cdsbbAcceptDelivery', ACCEPT_DELIVERY, 13);
  const takeScript = defineScript(redis, 'cdsbbTakeHead', TAKE_HEAD, 13);
  const saveScript = defineScript(redis, 'cdsbbSaveState', SAVE_STATE, 4);
  const finishScript = defineScript(redis, 'cdsbbFinishExecution', FINISH_EXECUTION, 16);

  const moveBackScript = defineScript(redis, 'cdsbbMoveBack', MOVE_BACK, 2);

  return {
    /** One lookup. */
    async lookUp(uuid: string): Promise<HookOnFile | undefined> {
      const { task } = hookKeys(uuid);
      const [type, method, signed] = await mend.hook(uuid, () =>
        redis.hmget(task, 'type', 'method', SIGNED_FIELD),
      );
      if (!type) return undefined;
      return { type: type as TaskType, method: method ?? '', signed: signed === '1' };
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

/**
 * One that cannot be read has nothing but its type and its time: who works at it gives it up.
 */
function readHead(of: {
  type: TaskType;
  id: string;
  execution: string;
  body: string | undefined;
}): Pick<Head, 'execution' | 'body' | 'unreadable'> {
  try {
    return readWithBody(of.execution, of.body);
  } catch (error) {
    if (!(error instanceof UnreadableExecutionError)) throw error;
    const timestamp = timestampOfId(of.id);
    const execution = {
      timestamp,
      type: of.type,
      config: null,
      accepted_at: Number(of.id) / 1_000,
    };
    return { execution, body: '', unreadable: error.message };
  }
}

function readTaken(reply: TakeReply): TakenHead {
  if (reply[0] !== 'work') return { kind: reply[0] };
  const [, type, config = 'null', id = '', execution = '{}', body, state = '', ...counts] = reply;
  return {
    kind: 'work',
    head: {
      type: type as TaskType,
      config: readConfig(config) ?? null,
      id,
      ...readHead({ type: type as TaskType, id, execution, body }),
      state: parseState(state),
      stateJson: state,
      anyCleanups: Number(counts[0]) > 0,
      begun: Number(counts[1]),
    },
  };
}
