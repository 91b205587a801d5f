import {
  ARRIVES_LATE_MS,
  deliveriesOf,
  type AskedRun,
  type Delivery,
  type History,
  type Violation,
} from './history';

/** A process may forget what the API told it this long before it was killed. */
const FORGOTTEN_BY_A_KILL_MS = 5_000;

export interface RunCheck {
  violations: Violation[];
  accepted: number;
  /** Runs that the API started. */
  runs: number;
  doubles: number;
}

/**
 * Compares the deliveries that were answered with the runs that the API was asked for: each
 * accepted one has its runs, none has more than the promise allows, nothing else has any, and a
 * hook's runs are in the order of its deliveries.
 *
 * @param mostDoubles how many runs may come twice in all; each needs an answer of the API that was
 *   lost, too
 */
export function checkRuns(history: History, mostDoubles: number): RunCheck {
  const deliveries = deliveriesOf(history);
  const served = history.runs
    .filter(({ servedAt }) => servedAt !== undefined)
    .toSorted((one, other) => (one.servedAt ?? 0) - (other.servedAt ?? 0));
  const violations = [
    ...lost(history, deliveries, served),
    ...unasked(deliveries, served),
    ...unexcused(history, served),
    ...reordered(deliveries, served),
  ];
  const doubles = served.length - new Set(served.map(nameOf)).size;
  if (doubles > mostDoubles)
    violations.push({
      kind: 'doubled',
      sentence: `${doubles} runs came twice; ${mostDoubles} may.`,
    });
  const accepted = deliveries.filter(({ fate }) => fate === 'accepted').length;
  return { violations, accepted, runs: served.length, doubles };
}

const nameOf = ({ hook, hash }: { hook: string; hash: string }): string => `${hook} ${hash}`;

function hashesOf({ changes }: Delivery): string[] {
  return changes.flatMap((change) => (change.kind === 'push' ? [change.hash] : []));
}

function lost(history: History, deliveries: Delivery[], served: AskedRun[]): Violation[] {
  const seen = new Set(served.map(nameOf));
  const emptied = Math.max(0, ...(history.emptied ?? []));
  return deliveries.flatMap((delivery) => {
    if (delivery.fate !== 'accepted' || !delivery.authentic) return [];
    if (delivery.acceptedAt < emptied) return [];
    return hashesOf(delivery)
      .filter((hash) => !seen.has(nameOf({ hook: delivery.hook, hash })))
      .map((hash) => ({
        kind: 'lost' as const,
        sentence: `The delivery ${delivery.requestUuid} of hook ${delivery.hook} was accepted, and its run ${hash} was never started.`,
      }));
  });
}

function unasked(deliveries: Delivery[], served: AskedRun[]): Violation[] {
  const fates = new Map<string, Delivery>();
  for (const delivery of deliveries)
    for (const hash of hashesOf(delivery))
      fates.set(nameOf({ hook: delivery.hook, hash }), delivery);
  return served.flatMap((run) => {
    const delivery = fates.get(nameOf(run));
    const of = `run ${run.hash} of hook ${run.hook}`;
    if (!delivery)
      return [
        {
          kind: 'unasked' as const,
          sentence: `The ${of} was started, and no delivery calls for it.`,
        },
      ];
    if (!delivery.authentic)
      return [
        { kind: 'unasked' as const, sentence: `The ${of} was started by a forged delivery.` },
      ];
    if (delivery.fate === 'refused')
      return [
        {
          kind: 'unasked' as const,
          sentence: `The ${of} was started by a delivery that was refused.`,
        },
      ];
    return [];
  });
}

/** A run that came again although its first answer reached a process that lived on. */
function unexcused(history: History, served: AskedRun[]): Violation[] {
  const byName = new Map<string, AskedRun[]>();
  for (const run of served) byName.set(nameOf(run), [...(byName.get(nameOf(run)) ?? []), run]);
  return [...byName.values()].flatMap((runs) =>
    runs.slice(0, -1).flatMap((run, index) =>
      !run.answered || mayBeForgotten(history, served, run)
        ? []
        : [
            {
              kind: 'doubled' as const,
              sentence: `The run ${run.hash} of hook ${run.hook} was started again ${(runs[index + 1]?.at ?? 0) - (run.servedAt ?? 0)} ms after the API had said yes to a process that lived on.`,
            },
          ],
    ),
  );
}

/** Killed before the API's yes was kept: only of the last run of its hook at that moment. */
function mayBeForgotten(history: History, served: AskedRun[], run: AskedRun): boolean {
  const servedAt = run.servedAt ?? Infinity;
  const next = served.find(
    ({ hook, servedAt: later = 0 }) => hook === run.hook && later > servedAt,
  )?.servedAt;
  return history.kills.some(
    (kill) =>
      kill + ARRIVES_LATE_MS >= run.at &&
      kill <= servedAt + FORGOTTEN_BY_A_KILL_MS &&
      kill <= (next ?? Infinity),
  );
}

function reordered(deliveries: Delivery[], served: AskedRun[]): Violation[] {
  const places = new Map<string, number>();
  const polled = new Set(
    deliveries
      .filter(({ isPolled }) => isPolled)
      .flatMap((delivery) =>
        hashesOf(delivery).map((hash) => nameOf({ hook: delivery.hook, hash })),
      ),
  );
  for (const delivery of deliveries) {
    // Of one that nobody was told of, the place is not known.
    if (delivery.fate !== 'accepted') continue;
    for (const hash of hashesOf(delivery)) {
      const name = nameOf({ hook: delivery.hook, hash });
      // Whoever tells of it first decides its place.
      if (!polled.has(name)) places.set(name, places.size);
    }
  }
  const last = new Map<string, { place: number; hash: string }>();
  const violations: Violation[] = [];
  for (const run of served) {
    const place = places.get(nameOf(run));
    if (place === undefined) continue;
    const before = last.get(run.hook);
    if (before && place < before.place)
      violations.push({
        kind: 'reordered',
        sentence: `The run ${run.hash} of hook ${run.hook} was started after ${before.hash}, whose delivery was accepted later.`,
      });
    else last.set(run.hook, { place, hash: run.hash });
  }
  return violations;
}
