import {
  ARRIVES_LATE_MS,
  deliveriesOf,
  shiftAt,
  type AskedRemoval,
  type Delivery,
  type History,
  type Violation,
} from './history';

/**
 * A delivery that is being accepted while the removal is on its way to the API may be before or
 * after it.
 */
const SAME_MOMENT_MS = 1_000;
/** A cleanup is done so long after it is due, or after the fault is over. */
export const CLEANUP_WITHIN_MS = 60_000;

/**
 * What was accepted of one branch, in order; what nobody was told of comes last, wherever its place
 * was.
 */
interface BranchEvent {
  kind: 'push' | 'deletion';
  hash: string;
  sentAt: number;
  acceptedAt: number;
  /** Orders what was accepted of a hook; Infinity where nobody was told. */
  timestamp: number;
}

export interface CleanupCheck {
  violations: Violation[];
  /** Deletions whose cleanup was due while it was watched. */
  due: number;
  removals: number;
}

/**
 * Compares the removals that the API was asked for with the deletions that were accepted.
 *
 * Early is a removal at which no replica's wall clock had come to the acceptance of the deletion
 * plus the delay; clocks that were set count as they stood. Late is one a minute after it was due
 * by every replica's clock and the fault was over. A branch is back when a push to it was accepted
 * after its deletion, or is known to have come after it.
 */
export function checkCleanups(watched: History): CleanupCheck {
  const history = byWorkflow(watched);
  const deliveries = deliveriesOf(history).filter(({ authentic }) => authentic);
  const removals = history.removals.filter(({ servedAt }) => servedAt !== undefined);
  const branches = branchesOf(deliveries);
  const violations: Violation[] = [];
  let due = 0;
  for (const [name, { events, isSure }] of branches) {
    const own = removals.filter((removal) => nameOf(removal) === name);
    for (const [index, removal] of own.entries())
      violations.push(...checkRemoval(history, events, removal, own[index - 1]));
    if (!isSure) continue;
    const outcome = checkLast(history, events, own, name);
    due += outcome.due;
    violations.push(...outcome.violations);
  }
  for (const removal of removals)
    if (!branches.has(nameOf(removal)))
      violations.push({
        kind: 'unasked',
        sentence: `The runs of ${nameOf(removal)} were removed, and no accepted delivery deletes that branch.`,
      });
  return { violations, due, removals: removals.length };
}

/** The API removes the runs of a workflow: what comes to any of its hooks tells of its branches. */
function byWorkflow(history: History): History {
  const { sameWorkflow = {} } = history;
  const named = <T extends { hook: string }>(all: T[]): T[] =>
    all.map((one) => ({ ...one, hook: sameWorkflow[one.hook] ?? one.hook }));
  return {
    ...history,
    deliveries: named(history.deliveries),
    pushed: named(history.pushed),
    runs: named(history.runs),
    removals: named(history.removals),
  };
}

const nameOf = ({ hook, branch }: { hook: string; branch: string }): string => `${hook} ${branch}`;

function branchesOf(
  deliveries: Delivery[],
): Map<string, { events: BranchEvent[]; isSure: boolean }> {
  const branches = new Map<string, { events: BranchEvent[]; isSure: boolean }>();
  const last = new Map<string, { hash: string; before?: string | undefined }>();
  const unsure = new Set<string>();
  for (const { hook, changes, fate } of deliveries)
    for (const change of changes)
      if (fate === 'unsure' && change.kind === 'push') unsure.add(`${hook} ${change.hash}`);
  for (const { hook, changes, fate, sentAt, acceptedAt, timestamp, isPolled } of deliveries) {
    if (fate === 'refused') continue;
    for (const change of changes) {
      const name = nameOf({ hook, branch: change.branch });
      const head = last.get(name);
      // It is older than a push that was accepted before it, since it names another commit.
      if (change.kind === 'deletion' && change.hash && head && change.hash !== head.hash) {
        if (fate === 'accepted' && !unsure.has(`${hook} ${change.hash}`)) continue;
      }
      // It came late where the last push began with its commit.
      const isLate =
        change.kind === 'push' &&
        head !== undefined &&
        change.hash === head.before &&
        change.before !== head.hash;
      if (change.kind === 'push' && !isLate) last.set(name, change);
      else if (change.kind === 'deletion' && fate === 'accepted') last.delete(name);
      const branch = branches.get(name) ?? { events: [], isSure: true };
      branches.set(name, branch);
      if (fate === 'unsure') branch.isSure = false;
      branch.events.push({
        kind: change.kind,
        hash: change.kind === 'push' ? change.hash : '',
        sentAt,
        // `hooks` need not know of a push before it has a run, unless a delivery tells of it.
        acceptedAt: isPolled && change.kind === 'push' ? Infinity : acceptedAt,
        timestamp,
      });
    }
  }
  return branches;
}

function checkRemoval(
  history: History,
  events: BranchEvent[],
  removal: AskedRemoval,
  before: AskedRemoval | undefined,
): Violation[] {
  const violations: Violation[] = [];
  const of = `of branch ${removal.branch} of hook ${removal.hook}`;
  const known = events.filter(
    ({ kind, sentAt, acceptedAt }) =>
      sentAt < removal.at && (kind === 'deletion' || acceptedAt + SAME_MOMENT_MS < removal.at),
  );
  const deletions = known.filter(({ kind }) => kind === 'deletion');
  const settled = deletions.filter(({ acceptedAt }) => acceptedAt + SAME_MOMENT_MS < removal.at);
  const deletion = settled.at(-1) ?? deletions.at(-1);
  if (!deletion)
    return [
      { kind: 'unasked', sentence: `The runs ${of} were removed before the branch was deleted.` },
    ];

  const due = dueOf(history, deletion, 'least');
  // It was begun by the clock as it stood then.
  const begun = [removal.at, removal.at - SAME_MOMENT_MS];
  const clock = removal.at + Math.max(...begun.map((at) => shiftAt(history, at, 'most')));
  if (clock < due)
    violations.push({
      kind: 'early',
      sentence: `The runs ${of} were removed ${due - clock} ms before they were due.`,
    });

  const later = events
    .slice(events.indexOf(deletion) + 1)
    .filter(
      (event) =>
        event.timestamp < Infinity ||
        cameAfter(history, { ...event, hook: removal.hook }, deletion),
    );
  const back = later.find(
    ({ kind, hash, acceptedAt }) =>
      kind === 'push' &&
      (hasRunBefore(history, removal, hash) ||
        (acceptedAt + SAME_MOMENT_MS < removal.at &&
          !isAskedAgain(history, removal, { deletion, backAt: acceptedAt }))),
  );
  if (back && deletions.at(-1) === deletion)
    violations.push({
      kind: 'hit',
      sentence: `The runs ${of} were removed although the branch was back with ${back.hash}.`,
    });

  const isRepeated =
    before !== undefined &&
    !deletions.some((one) => isNewSince(history, one, before)) &&
    !deletions.slice(1).some((one) => hadToWait(history, one, before)) &&
    !hasRunBetween(history, events, before, removal);
  if (
    isRepeated &&
    before.answered &&
    !history.kills.some((kill) => kill + ARRIVES_LATE_MS >= before.at && kill <= removal.at)
  )
    violations.push({
      kind: 'doubled',
      sentence: `The runs ${of} were removed twice for one deletion, by processes that lived on.`,
    });
  return violations;
}

/**
 * Whether a push that nobody was told of is known to have its place behind a deletion: it was sent
 * when the deletion had been accepted, or had its run behind that of a push which was accepted
 * after the deletion. It is before it where its run was there when the deletion was sent first.
 */
function cameAfter(
  history: History,
  push: { hook: string; hash: string; sentAt: number },
  deletion: BranchEvent,
): boolean {
  const ranAt = firstRunOf(history, push);
  if (ranAt <= deletion.sentAt) return false;
  if (push.sentAt >= deletion.acceptedAt) return true;
  return deliveriesOf(history).some(
    ({ hook, timestamp, changes }) =>
      hook === push.hook &&
      timestamp > deletion.timestamp &&
      timestamp < Infinity &&
      changes.some(
        (change) =>
          change.kind === 'push' && firstRunOf(history, { hook, hash: change.hash }) < ranAt,
      ),
  );
}

function firstRunOf(history: History, { hook, hash }: { hook: string; hash: string }): number {
  const own = history.runs.filter((run) => run.hook === hook && run.hash === hash);
  return Math.min(...own.map(({ servedAt = Infinity }) => servedAt));
}

/** Whether this deletion may have come after that removal, or without anybody's knowing. */
function isNewSince(history: History, deletion: BranchEvent, removal: AskedRemoval): boolean {
  if (deletion.acceptedAt < Infinity) return deletion.acceptedAt > removal.at;
  return deletion.sentAt > removal.at - history.cleanupDelayMs - CLEANUP_WITHIN_MS;
}

/**
 * Whether this deletion still waited at that removal, behind a push of its hook that had its run
 * only then: its turn comes later, and knows nothing of what was removed before. (Not the first
 * one: its turn was before any removal.)
 */
function hadToWait(history: History, deletion: BranchEvent, removal: AskedRemoval): boolean {
  const before = new Set(
    deliveriesOf(history).flatMap(({ hook, acceptedAt, changes }) =>
      hook === removal.hook && acceptedAt <= deletion.acceptedAt
        ? changes.flatMap((change) => (change.kind === 'push' ? [change.hash] : []))
        : [],
    ),
  );
  return history.runs.some(
    ({ hook, hash, servedAt = Infinity }) =>
      hook === removal.hook && before.has(hash) && servedAt >= removal.at,
  );
}

/**
 * Whether a push to the branch that had waited was run after the first removal: its run is to be
 * removed, too.
 */
function hasRunBetween(
  history: History,
  events: BranchEvent[],
  before: AskedRemoval,
  removal: AskedRemoval,
): boolean {
  const pushed = new Set(events.flatMap(({ kind, hash }) => (kind === 'push' ? [hash] : [])));
  return history.runs.some(
    ({ hook, hash, servedAt = Infinity }) =>
      hook === removal.hook && pushed.has(hash) && servedAt >= before.at && servedAt <= removal.at,
  );
}

/**
 * Whether the result of the removal is unknown that was asked for before the branch came back: then
 * it is asked for again, until it is answered.
 */
function isAskedAgain(
  history: History,
  removal: AskedRemoval,
  { deletion, backAt }: { deletion: BranchEvent; backAt: number },
): boolean {
  const wasCut = (history.apiAway ?? []).some(
    (at) => at >= deletion.sentAt && at < backAt + SAME_MOMENT_MS,
  );
  if (wasCut) return true;
  const before = history.removals.filter(
    (one) => nameOf(one) === nameOf(removal) && one.at < removal.at,
  );
  const answered = before.findLastIndex((one) => one.answered);
  return before.slice(answered + 1).some(({ at }) => at < backAt + SAME_MOMENT_MS);
}

function hasRunBefore(history: History, removal: AskedRemoval, hash: string): boolean {
  return history.runs.some(
    (run) =>
      run.hook === removal.hook &&
      run.hash === hash &&
      (run.servedAt ?? Infinity) < (removal.servedAt ?? removal.at),
  );
}

/** The last that was accepted decides: a deletion that became due has been cleaned up, in time. */
function checkLast(
  history: History,
  events: BranchEvent[],
  removals: AskedRemoval[],
  name: string,
): { violations: Violation[]; due: number } {
  const last = events.at(-1);
  if (last?.kind !== 'deletion') return { violations: [], due: 0 };
  const dueAt = whenDue(history, last);
  const latest = Math.max(dueAt, history.faultEndedAt) + CLEANUP_WITHIN_MS;
  const removal = removals.find(({ at }) => at >= last.sentAt);
  if (removal)
    return {
      due: 1,
      violations:
        removal.at <= latest
          ? []
          : [
              {
                kind: 'late',
                sentence: `The runs of ${name} were removed ${removal.at - latest} ms too late.`,
              },
            ],
    };
  if (dueAt > history.endedAt) return { violations: [], due: 0 };
  return {
    due: 1,
    violations: [
      {
        kind: 'lost',
        sentence: `The cleanup of ${name} was due ${history.endedAt - dueAt} ms before the end and was never done.`,
      },
    ],
  };
}

function dueOf(history: History, deletion: BranchEvent, which: 'most' | 'least'): number {
  const { sentAt, acceptedAt } = deletion;
  // It counts from the clock of the process that accepted it, which may have been set meanwhile. A
  // process sees that a little later than it was.
  const [first, last] = [sentAt - SAME_MOMENT_MS, acceptedAt + SAME_MOMENT_MS];
  const set = history.clocks.flatMap(({ at }) => (at > first && at <= last ? [at] : []));
  const shifts = [first, ...set].map((at) => shiftAt(history, at, which));
  const shift = which === 'most' ? Math.max(...shifts) : Math.min(...shifts);
  return sentAt + shift + history.cleanupDelayMs;
}

/** The real time from which on every replica's clock has come to the due date. */
function whenDue(history: History, deletion: BranchEvent): number {
  const due = dueOf(history, deletion, 'most');
  const times = [deletion.acceptedAt, ...history.clocks.map(({ at }) => at)]
    .filter((at) => at >= deletion.acceptedAt)
    .toSorted((one, other) => one - other);
  for (const [index, from] of times.entries()) {
    const reached = Math.max(from, due - shiftAt(history, from, 'least'));
    if (reached < (times[index + 1] ?? Infinity)) return reached;
  }
  return Infinity;
}
