import { LRUCache } from 'lru-cache';
import type { AbsentHook } from '@cds/hooks-store';
import { notKnownYet, type Refusal, unknownHook } from './refusal';

/** Hooks that were asked for by a right signature; only who has the key can fill this. */
const MOST_ASKED_FOR = 10_000;

/** Bodies of strangers, a MiB each at most, that are read at once only to look at a signature. */
export const MOST_READ_FOR_SIGNATURE = 8;

export interface AbsentHookDeps {
  /** Reads the hooks of the API again; once a minute at most, whoever asks. */
  askForHooks: () => void;
  now: () => number;
}

/** What a delivery is told whose hook is not here: 404 only where it is known that there is none. */
export function createAbsentHook({ askForHooks, now }: AbsentHookDeps) {
  const askedFor = new LRUCache<string, number>({ max: MOST_ASKED_FOR });
  let beingRead = 0;

  /** @param isSigned whether the delivery shows that it was ours: its signature is right */
  function refusalOf(uuid: string, absent: AbsentHook, isSigned: boolean): Refusal {
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
  }

  /**
   * The same of a delivery whose signature nobody looked at yet. Its body is read for that unless
   * {@link MOST_READ_FOR_SIGNATURE} are being read already: then it is not known whose it is.
   *
   * @param isRight reads the body, and tells whether the signature is right for it
   * @throws what `isRight` throws
   */
  async function refusalOfSigned(
    uuid: string,
    absent: AbsentHook,
    isRight: () => Promise<boolean>,
  ): Promise<Refusal> {
    const unsigned = refusalOf(uuid, absent, false);
    if (unsigned.reason !== 'unknown') return unsigned;
    if (beingRead >= MOST_READ_FOR_SIGNATURE) {
      return notKnownYet('too much is sent at once to look at the signature: send it again');
    }
    beingRead++;
    try {
      return (await isRight()) ? refusalOf(uuid, absent, true) : unsigned;
    } finally {
      beingRead--;
    }
  }

  return { refusalOf, refusalOfSigned };
}
