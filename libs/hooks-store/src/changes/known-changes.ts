import { createHookScripts } from '../hook-scripts';
import { hookKeys } from '../redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import type { Redis } from 'ioredis';
import type { DeliveryPlan, DeliveryStep, PendingExecution } from '../deliveries/delivery-types';
import type { HeldLock } from '../hook-lock/hook-lock';
import { traitsOf } from '../task-type-traits';
import { branchRef, changeName, REMEMBERED_US, tagRef } from './change-name';
import { STORE_CHANGE } from './changes.lua';

/**
 * The result of a change: `found` by a poll and pending; `polled`: that execution ended; `late`: a
 * delivery came after that and was left out; `delivered`: a delivery was processed. The id is that
 * of the execution.
 */
interface Mark {
  kind: string;
  id: number;
}

/** The known changes of one execution. */
export interface ChangesOfExecution {
  /** Why this step is left out; undefined when it is to be done. */
  whyNot(step: DeliveryStep): string | undefined;
  /** Stores that the step was done, failed or left out. @returns false when the lock is lost */
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
 * Keeps a repository webhook from running twice for one change that both a delivery and a poll
 * brought, in any order. A delivery is left out for a poll, never for another delivery: each one
 * left out uses up a found change.
 * @param on whether repository webhooks are polled; nothing is stored otherwise
 */
export function createKnownChanges(deps: {
  redis: Redis;
  on: boolean;
  keyRepair?: KeyRepair;
}): KnownChanges {
  const { redis, on, keyRepair = NO_KEY_REPAIR } = deps;
  const run = createHookScripts({ redis, keyRepair });

  return async function knownChanges(lock, pending, plan) {
    if (!on || !traitsOf(pending.type).takesPushes) return NOTHING_KNOWN;
    const keys = hookKeys(lock.uuid);
    const { poll } = pending.execution;
    const own = Number(pending.id);
    const marks = await keyRepair.hook(lock.uuid, readMarks);

    async function readMarks(): Promise<Map<string, Mark>> {
      // All changes of the branch show whether it was pushed since.
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
      // Left out before, by a process that died before it could store that.
      return mark.kind === 'late' && mark.id === own ? 'it was found by a poll before' : undefined;
    }

    const isFound = (name: string) => marks.get(name)?.kind === 'found';

    return {
      whyNot: poll ? whyNotOfPoll : whyNotOfDelivery,
      async note(step, result) {
        const name = nameOfStep(step);
        const kind = kindOfMark(poll !== undefined, result);
        // The branch was back: its next deletion is another change.
        const isVoid = poll?.kind === 'delete' && result === 'left out' && isFound(name);
        const forgotten = isVoid ? name : nameOfDeletion(step);
        if (kind === undefined && !isVoid) return true;
        const noted = { change: kind ? name : '', value: kind ? `${kind}:${pending.id}` : '' };
        const args = { lockToken: lock.lockToken, ...noted, forgotten };
        return (await run(STORE_CHANGE, lock.uuid, args)) === 'ok';
      },
    };
  };
}

/** Undefined leaves the mark: a late delivery tries again what a poll found and the API refused. */
function kindOfMark(isPoll: boolean, result: 'ok' | 'failed' | 'left out'): string | undefined {
  if (isPoll) return result === 'ok' ? 'polled' : undefined;
  return result === 'left out' ? 'late' : 'delivered';
}

function nameOfStep(step: DeliveryStep): string {
  if (step.type === 'delete-branch') return changeName(branchRef(step.branch), '');
  const { payload, branch } = step;
  const ref = branch === undefined ? tagRef(payload['git.tag']) : branchRef(branch);
  return changeName(ref, payload['git.hash'] ?? '');
}

/** The deletion of the branch that a run is for. */
function nameOfDeletion({ type, branch }: DeliveryStep): string {
  return type !== 'run' || branch === undefined ? '' : changeName(branchRef(branch), '');
}

function readMark(text: string): Mark {
  const [kind = '', id] = text.split(':');
  return { kind, id: Number(id) };
}
