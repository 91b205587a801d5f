import { waitFor } from '@cds/testing';
import { readBooks } from '../stage/books';
import type { Stage, StageOptions } from '../stage/stage';

/** One row of the matrix. */
export interface Fault {
  /** For `--only`. */
  name: string;
  /** What happens. */
  what: string;
  /** What is looked at beyond what is for all of them. */
  checks?: string;
  /** How many runs may come twice, and why; 0 when not given. */
  doubles?: { most: number; mostWithLong?: number; because: string };
  stage?: StageOptions;
  /** About how long it takes. */
  seconds?: number;
  /** Why it cannot be played on this machine, as a sentence; undefined when it can. */
  skipped?: () => string | undefined;
  /**
   * Makes it happen, and ends it. What was accepted is waited for afterwards. @throws Error with
   * what went wrong
   */
  play(stage: Stage): Promise<void>;
}

/** Ends a fault's story: work goes on after the fault's end, then nothing new comes. */
export async function workOn(load: {
  acceptedByEach(): Promise<void>;
  stop(): Promise<void>;
}): Promise<void> {
  await load.acceptedByEach();
  await load.stop();
}

/** @throws Error with the sentence, unless it is so */
export function mustBe(isSo: boolean, sentence: string): void {
  if (!isSo) throw new Error(sentence);
}

/**
 * Resolves when all that came in is worked off, and Redis knows it: there is no run that a kill
 * could repeat.
 */
export async function nothingUnderWay(stage: Stage): Promise<void> {
  const hooks = [...stage.webhooks, ...stage.otherHooks];
  await stage.worked();
  await waitFor(
    async () => (await stage.redis.ask((redis) => readBooks(redis, hooks))).waiting === 0,
    { what: 'all to be worked off' },
  );
}

/** While nothing could be kept, somebody asked and was told so. */
export function mustHaveRefused(stage: Stage): void {
  const { deliveries, faultBeganAt, faultEndedAt } = stage.history;
  const during = deliveries.filter(
    ({ sentAt, answeredAt }) => sentAt > faultBeganAt && answeredAt < faultEndedAt,
  );
  mustBe(
    during.some(({ status }) => status === 503),
    'No delivery was answered 503 while Redis was not there: nothing was shown.',
  );
}
