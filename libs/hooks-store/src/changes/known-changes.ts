import { hookKeys } from '../redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import type { Redis } from 'ioredis';
import type { PendingExecution } from '../deliveries/delivery-types';
import type { HeldLock } from '../hook-lock/hook-lock';
import type { DeliveryPlan, DeliveryStep } from '../deliveries/delivery-plan';
import { changeName } from './change-name';
import { REMEMBERED_US } from './deduplication-window';
import { STORE_CHANGE } from './note-change.lua';

/**
 * What became of a change: a poll `found` it, and its execution waits; `polled`, that was worked
 * off; `late`, a delivery came after that and led to nothing; `delivered`, a delivery was worked
 * off. The id is that of the execution.
 */
interface Mark {
  kind: string;
  id: number;
}

/** What is known of the changes of one execution. */
export interface ChangesOfExecution {
  /** Why this step is not to be done; undefined when it is. */
  whyNot(step: DeliveryStep): string | undefined;
  /**
   * Notes that the step was done, given up, or left out. @returns false when the hook is another's
   * by now
   */
  note(step: DeliveryStep, result: 'ok' | 'failed' | 'left out'): Promise<boolean>;
}

export type KnownChanges = (
  lock: HeldLock,
  pending: PendingExecution,
  plan: DeliveryPlan,
) => Promise<ChangesOfExecution>;

const NOTHING_KNOWN: ChangesOfExecution = {
  whyNot: () => undefined,
  note: () => Promise.resolve(true),
};

/**
 * Keeps a repository webhook from running twice for one change, of which a delivery told and which
 * a poll found, whichever came first. A delivery is left out for a poll, never for another
 * delivery: each one that is left out uses up what was found.
 *
 * @param on whether repository webhooks are polled; nothing is kept where they are not
 */
export function createKnownChanges(deps: {
  redis: Redis;
  on: boolean;
  keyRepair?: KeyRepair;
}): KnownChanges {
  const { redis, on, keyRepair = NO_KEY_REPAIR } = deps;
  const noteChange = STORE_CHANGE.on(redis);

  return async function knownChanges(lock, pending, plan) {
    if (!on || pending.type !== 'RepoWebHook') return NOTHING_KNOWN;
    const keys = hookKeys(lock.uuid);
    const { poll } = pending.execution;
    const own = Number(pending.id);
    const marks = await keyRepair.hook(lock.uuid, readMarks);

    async function readMarks(): Promise<Map<string, Mark>> {
      // Whether a branch was pushed to since is a matter of all its changes.
      if (poll?.kind === 'delete') {
        const all = Object.entries(await redis.hgetall(keys.changes));
        return new Map(all.map(([name, text]) => [name, readMark(text)]));
      }
      const names = [...new Set(plan.steps.map(nameOfStep))];
      if (names.length === 0) return new Map();
      const texts = await redis.hmget(keys.changes, ...names);
      return new Map(
        names.flatMap((name, index) => {
          const text = texts[index];
          return text ? [[name, readMark(text)] as const] : [];
        }),
      );
    }

    function whyNotOfPoll(step: DeliveryStep): string | undefined {
      const mark = marks.get(nameOfStep(step));
      if (mark?.kind === 'delivered' || mark?.kind === 'late')
        return `its webhook came: see the execution ${mark.id}000`;
      if (poll?.kind !== 'delete') return undefined;
      const pushes = `${poll.ref}@`;
      const isBack = [...marks].some(
        ([name, { kind, id }]) =>
          name.startsWith(pushes) &&
          name !== nameOfStep(step) &&
          kind !== 'found' &&
          id > poll.seen_after,
      );
      return isBack ? 'the branch was pushed again meanwhile' : undefined;
    }

    function whyNotOfDelivery(step: DeliveryStep): string | undefined {
      const mark = marks.get(nameOfStep(step));
      if (!mark || own - mark.id > REMEMBERED_US) return undefined;
      if (mark.kind === 'polled')
        return `it was found by a poll before: see the execution ${mark.id}000`;
      // Left out already, before the process that did it could say so.
      return mark.kind === 'late' && mark.id === own ? 'it was found by a poll before' : undefined;
    }

    const isFound = (name: string) => marks.get(name)?.kind === 'found';

    return {
      whyNot: poll ? whyNotOfPoll : whyNotOfDelivery,
      async note(step, result) {
        const name = nameOfStep(step);
        const kind = kindOfMark(poll !== undefined, result);
        // A deletion that was none any more: the next one is another.
        const isVoid = poll?.kind === 'delete' && result === 'left out' && isFound(name);
        const forgotten = isVoid ? name : nameOfDeletion(step);
        if (kind === undefined && !isVoid) return true;
        const noted =
          kind === undefined
            ? { change: '', value: '' }
            : { change: name, value: `${kind}:${pending.id}` };
        const { lockToken } = lock;
        return (
          (await keyRepair.hook(lock.uuid, () =>
            noteChange(keys, { lockToken, ...noted, forgotten }),
          )) === 'ok'
        );
      },
    };
  };
}

/**
 * Undefined where the mark stays as it is: what a poll found and the API refused, a late delivery
 * tries again.
 */
function kindOfMark(isPoll: boolean, result: 'ok' | 'failed' | 'left out'): string | undefined {
  if (isPoll) return result === 'ok' ? 'polled' : undefined;
  return result === 'left out' ? 'late' : 'delivered';
}

function nameOfStep(step: DeliveryStep): string {
  if (step.type === 'delete-branch') return changeName(`refs/heads/${step.branch}`, '');
  const { payload, branch } = step;
  const ref =
    branch === undefined ? `refs/tags/${payload['git.tag'] ?? ''}` : `refs/heads/${branch}`;
  return changeName(ref, payload['git.hash'] ?? '');
}

/** Of the branch that a run is for. */
function nameOfDeletion({ type, branch }: DeliveryStep): string {
  return type !== 'run' || branch === undefined ? '' : changeName(`refs/heads/${branch}`, '');
}

function readMark(text: string): Mark {
  const [kind = '', id] = text.split(':');
  return { kind, id: Number(id) };
}
