import { LRUCache } from 'lru-cache';
import type { AbsentHook } from '../executions/delivery-types';
import { notKnownYet, type Refusal, unknownHook } from './refusal';

/** Hooks that were asked for by a right signature; only who has the key can fill this. */
const MOST_ASKED_FOR = 10_000;

export interface AbsentHookDeps {
  /** Reads the hooks of the API again; once a minute at most, whoever asks. */
  askForHooks: () => void;
  now: () => number;
}

/**
 * What a delivery is told whose hook is not here: 404 only where it is known that there is none.
 *
 * @returns a function of the hook and of whether the delivery shows that it was ours: its signature
 *   is right
 */
export function createAbsentHook({ askForHooks, now }: AbsentHookDeps) {
  const askedFor = new LRUCache<string, number>({ max: MOST_ASKED_FOR });

  return function refusalOf(uuid: string, absent: AbsentHook, isSigned: boolean): Refusal {
    const { synchronizedAt, vanished } = absent;
    if (synchronizedAt === undefined) return notKnownYet();
    if (!vanished && !isSigned) return unknownHook();
    const since = askedFor.get(uuid) ?? now();
    askedFor.set(uuid, since);
    // The API was asked since, and does not list it: it was deleted there, and its webhook left
    // behind.
    if (!vanished && synchronizedAt > since) return unknownHook();
    askForHooks();
    return notKnownYet();
  };
}
