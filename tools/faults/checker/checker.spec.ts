import { checkCleanups } from './check-cleanups';
import { checkIntake } from './check-intake';
import { checkRecovery } from './check-recovery';
import { checkRuns } from './check-runs';
import { checkSchedule, type WatchedSchedule } from './check-schedule';
import type {
  AskedRemoval,
  AskedRun,
  Change,
  History,
  PushedChange,
  SentDelivery,
  SentMessage,
  Violation,
} from './history';

const HOUR = 3_600_000;
/** Each history begins here; a second between two things that happen. */
const T0 = 1_800_000_000_000;
const DELAY = 10_000;

function sent(second: number, changes: Change[], change: Partial<SentDelivery> = {}): SentDelivery {
  const at = T0 + second * 1_000;
  return {
    hook: 'h',
    requestUuid: `request-${second}`,
    authentic: true,
    changes,
    replica: 'hooks-1',
    sentAt: at,
    answeredAt: at + 10,
    tookMs: 10,
    status: 200,
    timestamp: at,
    ...change,
  };
}
const pushed = (hash: string, branch = 'main'): Change => ({ kind: 'push', branch, hash });
const deleted = (branch: string): Change => ({ kind: 'deletion', branch });

function asked(second: number) {
  const at = T0 + second * 1_000;
  return { hook: 'h', by: 'hooks-1', at, servedAt: at + 5, answered: true };
}
function run(second: number, hash: string, change: Partial<AskedRun> = {}): AskedRun {
  return { ...asked(second), hash, ...change };
}
function removal(second: number, branch: string, change: Partial<AskedRemoval> = {}): AskedRemoval {
  return { ...asked(second), branch, ...change };
}

function history(change: Partial<History>): History {
  return {
    deliveries: [],
    messages: [],
    pushed: [],
    runs: [],
    removals: [],
    kills: [],
    clocks: [],
    cleanupDelayMs: DELAY,
    faultBeganAt: T0,
    faultEndedAt: T0,
    endedAt: T0 + 1_000_000,
    ...change,
  };
}
const kinds = (violations: Violation[]) => violations.map(({ kind }) => kind);
const runKinds = (change: Partial<History>, mostDoubles = 9) =>
  kinds(checkRuns(history(change), mostDoubles).violations);
const cleanupKinds = (change: Partial<History>) => kinds(checkCleanups(history(change)).violations);

const two = [sent(1, [pushed('a')]), sent(2, [pushed('b')])];

describe('checkRuns', () => {
  it('is content when each accepted delivery has its runs, once, in order', () => {
    const outcome = checkRuns(history({ deliveries: two, runs: [run(3, 'a'), run(4, 'b')] }), 0);
    expect(outcome).toEqual({ violations: [], accepted: 2, runs: 2, doubles: 0 });
  });

  it('finds an accepted delivery without its run, also where the API never did what it was asked', () => {
    expect(runKinds({ deliveries: two, runs: [run(3, 'a')] })).toEqual(['lost']);
    const unserved = run(4, 'b', { servedAt: undefined });
    expect(runKinds({ deliveries: two, runs: [run(3, 'a'), unserved] })).toEqual(['lost']);
  });

  it('finds one run of several that a delivery calls for', () => {
    const deliveries = [sent(1, [pushed('a'), pushed('b', 'dev')])];
    expect(runKinds({ deliveries, runs: [run(2, 'a')] })).toEqual(['lost']);
  });

  it('does not ask for the run of a delivery that nobody was told of, and allows it one', () => {
    const deliveries = [
      sent(1, [pushed('a')], { status: 503 }),
      sent(2, [pushed('b')], { status: undefined, failure: 'connection' }),
    ];
    expect(runKinds({ deliveries })).toEqual([]);
    expect(runKinds({ deliveries, runs: [run(3, 'a'), run(4, 'b')] })).toEqual([]);
    expect(runKinds({ deliveries, runs: [run(3, 'a'), run(4, 'a')] })).toEqual(['doubled']);
  });

  it('finds a run that came twice for a process that lived on and had the answer', () => {
    const runs = [run(3, 'a'), run(4, 'a'), run(5, 'b')];
    expect(runKinds({ deliveries: two, runs })).toEqual(['doubled']);
  });

  it('takes for lost with Redis what waited when it was emptied, and nothing later', () => {
    const deliveries = [sent(1, [pushed('a')]), sent(3, [pushed('b')])];
    const emptied = [T0 + 2_000];
    expect(runKinds({ deliveries, emptied, runs: [run(4, 'b')] })).toEqual([]);
    expect(runKinds({ deliveries, emptied, runs: [run(2, 'a')] })).toEqual(['lost']);
  });

  it('allows a run to come again when its answer was lost, no more often than was said', () => {
    const runs = [run(3, 'a', { answered: false }), run(4, 'a'), run(5, 'b')];
    expect(runKinds({ deliveries: two, runs }, 1)).toEqual([]);
    expect(runKinds({ deliveries: two, runs }, 0)).toEqual(['doubled']);
  });

  it('allows the last run before a kill to come again, no earlier one, and none that came long before', () => {
    const kill = (second: number) => [T0 + second * 1_000];
    const again = [run(3, 'a'), run(5, 'a'), run(6, 'b')];
    expect(runKinds({ deliveries: two, runs: again, kills: kill(4) })).toEqual([]);
    const overtaken = [run(3, 'a'), run(3.5, 'b'), run(5, 'a')];
    expect(runKinds({ deliveries: two, runs: overtaken, kills: kill(4) })).toContain('doubled');
    const late = [run(3, 'a'), run(13, 'a'), run(14, 'b')];
    expect(runKinds({ deliveries: two, runs: late, kills: kill(12) })).toEqual(['doubled']);
  });

  it('takes requests with the same X-Request-UUID for one delivery', () => {
    const again = sent(2, [pushed('a')], { requestUuid: 'request-1', timestamp: T0 + 1_000 });
    const deliveries = [sent(1, [pushed('a')], { status: 503, timestamp: undefined }), again];
    expect(runKinds({ deliveries, runs: [run(3, 'a')] })).toEqual([]);
    expect(runKinds({ deliveries })).toEqual(['lost']);
    expect(runKinds({ deliveries, runs: [run(3, 'a'), run(4, 'a')] })).toEqual(['doubled']);
  });

  it('finds runs in another order than their deliveries were accepted, for each hook by itself', () => {
    const runs = [run(3, 'b'), run(4, 'a')];
    expect(runKinds({ deliveries: two, runs })).toEqual(['reordered']);
    const other = two.map((one, index) => (index === 1 ? { ...one, hook: 'g' } : one));
    const ofOther = runs.map((one) => (one.hash === 'b' ? { ...one, hook: 'g' } : one));
    expect(runKinds({ deliveries: other, runs: ofOther })).toEqual([]);
  });

  it('goes by the order of acceptance, not by that of sending', () => {
    const [first, second] = two.map((one, index) => ({ ...one, timestamp: T0 - index }));
    const deliveries = [first, second].flatMap((one) => one ?? []);
    expect(runKinds({ deliveries, runs: [run(3, 'b'), run(4, 'a')] })).toEqual([]);
  });

  it('finds a double that comes after the next run', () => {
    const runs = [run(3, 'a', { answered: false }), run(4, 'b'), run(5, 'a')];
    expect(runKinds({ deliveries: two, runs })).toEqual(['reordered']);
  });

  it('finds runs that nothing, something forged, or something refused called for', () => {
    expect(runKinds({ runs: [run(3, 'x')] })).toEqual(['unasked']);
    const forged = [sent(1, [pushed('a')], { authentic: false, status: 401 })];
    expect(runKinds({ deliveries: forged, runs: [run(3, 'a')] })).toEqual(['unasked']);
    const refused = [sent(1, [pushed('a')], { status: 404 })];
    expect(runKinds({ deliveries: refused, runs: [run(3, 'a')] })).toEqual(['unasked']);
  });
});

describe('checkRuns of the messages of a queue', () => {
  const message = (second: number, change: Partial<SentMessage> = {}): SentMessage => ({
    hook: 'q',
    messageId: `message-${second}`,
    hash: `of-${second}`,
    sentAt: T0 + second * 1_000,
    confirmedAt: T0 + second * 1_000 + 10,
    ...change,
  });
  const ran = (second: number, of: number, change: Partial<AskedRun> = {}) =>
    run(second, `of-${of}`, { hook: 'q', ...change });
  const messages = [message(1), message(2)];

  it('is content when each that the broker confirmed has one run, in the order in which they were published', () => {
    expect(runKinds({ messages, runs: [ran(1, 1), ran(2, 2)] }, 0)).toEqual([]);
    const between = { deliveries: [sent(1, [pushed('a')])], messages };
    expect(runKinds({ ...between, runs: [ran(1, 1), run(2, 'a'), ran(3, 2)] }, 0)).toEqual([]);
  });

  it('finds one that is lost, doubled, out of order, or unknown', () => {
    expect(runKinds({ messages, runs: [ran(2, 2)] })).toEqual(['lost']);
    expect(runKinds({ messages, runs: [ran(1, 1), ran(2, 1), ran(3, 2)] })).toEqual(['doubled']);
    expect(runKinds({ messages, runs: [ran(1, 2), ran(2, 1)] })).toEqual(['reordered']);
    expect(runKinds({ messages, runs: [ran(1, 1), ran(2, 2), ran(3, 3)] })).toEqual(['unasked']);
  });

  it('does not ask for the run of one that nobody was told of, and allows it one', () => {
    const unsure = [message(1, { confirmedAt: undefined })];
    expect(runKinds({ messages: unsure })).toEqual([]);
    expect(runKinds({ messages: unsure, runs: [ran(1, 1)] })).toEqual([]);
  });
});

describe('checkRuns of what polls find', () => {
  const change = (second: number, hash: string): PushedChange => ({
    hook: 'h',
    change: pushed(hash),
    at: T0 + second * 1_000,
  });
  const both = [change(1, 'a'), change(2, 'b')];

  it('is content when each change has one run, in whatever order, and whoever told of it first', () => {
    expect(runKinds({ pushed: both, runs: [run(3, 'b'), run(4, 'a')] }, 0)).toEqual([]);
    const late = [sent(5, [pushed('b')]), sent(6, [pushed('c')]), sent(7, [pushed('a')])];
    const runs = [run(3, 'a'), run(4, 'b'), run(7, 'c')];
    expect(runKinds({ pushed: both, deliveries: late, runs }, 0)).toEqual([]);
  });

  it('finds one that is lost, doubled, or was never pushed', () => {
    expect(runKinds({ pushed: both, runs: [run(3, 'a')] })).toEqual(['lost']);
    expect(runKinds({ pushed: both, runs: [run(3, 'a'), run(4, 'b'), run(5, 'c')] })).toEqual([
      'unasked',
    ]);
    const runs = [run(3, 'a'), run(4, 'b'), run(6, 'a')];
    expect(runKinds({ pushed: both, runs })).toEqual(['doubled']);
    const late = [sent(5, [pushed('a')])];
    expect(runKinds({ pushed: both, deliveries: late, runs })).toEqual(['doubled']);
  });

  it('still knows the order of what deliveries alone told of', () => {
    const deliveries = [sent(1, [pushed('c')]), sent(2, [pushed('d')]), sent(3, [pushed('a')])];
    const runs = [run(4, 'd'), run(5, 'c'), run(6, 'a')];
    expect(runKinds({ pushed: both.slice(0, 1), deliveries, runs })).toEqual(['reordered']);
  });
});

describe('checkCleanups', () => {
  const deletion = sent(1, [deleted('dev')]);

  it('is content with one removal when it is due', () => {
    const outcome = checkCleanups(
      history({ deliveries: [deletion], removals: [removal(12, 'dev')] }),
    );
    expect(outcome).toEqual({ violations: [], due: 1, removals: 1 });
  });

  it('allows a second removal for a second deletion that waited behind a run at the first, and for no other', () => {
    const removals = [removal(12, 'dev'), removal(14, 'dev')];
    const again = [deletion, sent(1.5, [pushed('a')]), sent(2, [deleted('dev')])];
    const kinds = (deliveries: SentDelivery[], runs: AskedRun[]) =>
      cleanupKinds({ deliveries, removals, runs });
    expect(kinds(again, [run(13, 'a')])).toEqual([]);
    expect(kinds(again, [run(3, 'a')])).toEqual(['doubled']);
    expect(kinds(again.slice(0, 2), [run(13, 'a')])).toEqual(['doubled']);
  });

  it('finds an early, a late, a lost and a repeated one', () => {
    const deliveries = [deletion];
    expect(cleanupKinds({ deliveries, removals: [removal(10, 'dev')] })).toEqual(['early']);
    expect(cleanupKinds({ deliveries, removals: [removal(75, 'dev')] })).toEqual(['late']);
    expect(cleanupKinds({ deliveries })).toEqual(['lost']);
    const twice = [removal(12, 'dev'), removal(14, 'dev')];
    expect(cleanupKinds({ deliveries, removals: twice })).toEqual(['doubled']);
    const deletedAgain = sent(12.5, [deleted('dev')]);
    const byJump = { deliveries: [deletion, deletedAgain], removals: twice };
    const jump = { replica: 'hooks-1', at: T0 + 12_800, shiftMs: HOUR };
    expect(cleanupKinds({ ...byJump, clocks: [jump] })).toEqual([]);
    const lostAnswer = [removal(12, 'dev', { answered: false }), removal(14, 'dev')];
    expect(cleanupKinds({ deliveries, removals: lostAnswer })).toEqual([]);
  });

  it('allows a second one where a push that had waited was run after the first', () => {
    const deliveries = [deletion, sent(1.2, [pushed('a', 'dev')]), sent(1.4, [deleted('dev')])];
    const removals = [removal(14, 'dev'), removal(15, 'dev')];
    expect(cleanupKinds({ deliveries, removals, runs: [run(14.5, 'a')] })).toEqual([]);
    expect(cleanupKinds({ deliveries, removals, runs: [run(13, 'a')] })).toEqual(['doubled']);
    expect(cleanupKinds({ deliveries, removals })).toEqual(['doubled']);
  });

  it('does not ask for one that is not due yet, and counts lateness from the fault’s end', () => {
    expect(cleanupKinds({ deliveries: [deletion], endedAt: T0 + 5_000 })).toEqual([]);
    const removals = [removal(60, 'dev')];
    const faultEndedAt = T0 + 50_000;
    expect(cleanupKinds({ deliveries: [deletion], removals, faultEndedAt })).toEqual([]);
  });

  it('finds one that hits a branch that is back, and one that nobody asked for', () => {
    const back = [deletion, sent(3, [pushed('a', 'dev')])];
    expect(cleanupKinds({ deliveries: back, removals: [removal(12, 'dev')] })).toEqual(['hit']);
    expect(cleanupKinds({ deliveries: back })).toEqual([]);
    expect(cleanupKinds({ removals: [removal(12, 'dev')] })).toEqual(['unasked']);
    const forged = [sent(1, [deleted('dev')], { authentic: false, status: 401 })];
    expect(cleanupKinds({ deliveries: forged, removals: [removal(12, 'dev')] })).toEqual([
      'unasked',
    ]);
    expect(cleanupKinds({ deliveries: [deletion], removals: [removal(0, 'dev')] })).toContain(
      'unasked',
    );
  });

  it('allows a push that is accepted while its branch is being removed only if its run comes after', () => {
    const deliveries = [deletion, sent(11.5, [pushed('a', 'dev')])];
    const removals = [removal(12, 'dev')];
    expect(cleanupKinds({ deliveries, removals, runs: [run(12.1, 'a')] })).toEqual([]);
    expect(cleanupKinds({ deliveries, removals, runs: [run(11.8, 'a')] })).toEqual(['hit']);
  });

  it('orders a push that was answered 503 by when it was sent and run, where that tells', () => {
    const removals = [removal(18, 'dev')];
    const unsure = (second: number) =>
      sent(second, [pushed('a', 'dev')], { status: 503, retryAfter: '5', timestamp: undefined });
    const gone = sent(7.6, [deleted('dev')]);
    const found = (deliveries: SentDelivery[], ...runs: AskedRun[]) =>
      cleanupKinds({ deliveries, removals, runs });
    // As the matrix met it: its run was 5.6 s before the deletion was accepted.
    expect(found([unsure(1), gone], run(2, 'a'))).toEqual([]);
    expect(found([unsure(8), gone], run(9, 'a'))).toEqual(['hit']);
    const back = sent(9, [pushed('b', 'dev')]);
    expect(found([unsure(1), gone, back], run(2, 'a'), run(10, 'b'))).toEqual(['hit']);

    // Each may be the one that came first, unless the runs of others tell.
    const refused = { status: 503, retryAfter: '5', timestamp: undefined };
    const resent = [sent(1.5, [deleted('dev')], { ...refused, requestUuid: 'request-7.6' }), gone];
    expect(found([unsure(1), ...resent], run(2, 'a'))).toEqual([]);
    expect(found([unsure(5), ...resent], run(9, 'a'))).toEqual([]);
    const main = (second: number) => sent(second, [pushed('m')]);
    expect(found([unsure(5), ...resent, main(8)], run(8.5, 'm'), run(9, 'a'))).toEqual(['hit']);
    expect(found([unsure(5), ...resent, main(8)], run(9.5, 'm'), run(9, 'a'))).toEqual([]);
    expect(found([unsure(5), ...resent, main(7)], run(8.5, 'm'), run(9, 'a'))).toEqual([]);
  });

  it('finds one that is done only after the run of a branch that is back', () => {
    const deliveries = [deletion, sent(12.5, [pushed('a', 'dev')])];
    const removals = [removal(12, 'dev', { servedAt: T0 + 14_000, answered: false })];
    expect(cleanupKinds({ deliveries, removals, runs: [run(13, 'a')] })).toEqual(['hit']);
    expect(cleanupKinds({ deliveries, removals, runs: [run(15, 'a')] })).toEqual([]);
  });

  it('allows one that is asked for again, whatever came meanwhile, as long as none was answered', () => {
    const deliveries = [deletion, sent(13, [pushed('a', 'dev')])];
    const lost = { answered: false, servedAt: undefined };
    const removals = [removal(12, 'dev', lost), removal(15, 'dev', lost), removal(17, 'dev')];
    expect(cleanupKinds({ deliveries, removals, runs: [run(18, 'a')] })).toEqual([]);
    expect(cleanupKinds({ deliveries, removals, runs: [run(16, 'a')] })).toEqual(['hit']);
    const known = [removal(12, 'dev', { servedAt: undefined }), removal(17, 'dev')];
    expect(cleanupKinds({ deliveries, removals: known, runs: [run(18, 'a')] })).toEqual(['hit']);
    const tooLate = [removal(15, 'dev', lost), removal(17, 'dev')];
    expect(cleanupKinds({ deliveries, removals: tooLate, runs: [run(18, 'a')] })).toEqual(['hit']);
    // Cut when the API went away, so that the first one is not written down.
    const cut = { deliveries, removals: [removal(17, 'dev')], apiAway: [T0 + 12_000] };
    expect(cleanupKinds({ ...cut, runs: [run(18, 'a')] })).toEqual([]);
    expect(cleanupKinds({ ...cut, runs: [run(16, 'a')] })).toEqual(['hit']);
    const notCut = { ...cut, apiAway: [T0 + 500, T0 + 15_000], runs: [run(18, 'a')] };
    expect(cleanupKinds(notCut)).toEqual(['hit']);
  });

  it('takes no deletion for one that names another commit than the last that was pushed', () => {
    const old: Change = { kind: 'deletion', branch: 'dev', hash: 'a' };
    const pushes = [sent(0.1, [pushed('a', 'dev')]), sent(0.2, [pushed('b', 'dev')])];
    const deliveries = [...pushes, sent(1, [old])];
    expect(cleanupKinds({ deliveries })).toEqual([]);
    expect(cleanupKinds({ deliveries, removals: [removal(12, 'dev')] })).toEqual(['unasked']);
    const last: Change = { ...old, hash: 'b' };
    expect(cleanupKinds({ deliveries: [...pushes, sent(1, [last])] })).toEqual(['lost']);
    // An accepted deletion leaves no head: the next one is not behind a push.
    const again: Change = { ...old, hash: 'c' };
    const gone = [...pushes, sent(1, [last]), sent(2, [again])];
    expect(cleanupKinds({ deliveries: gone, removals: [removal(13, 'dev')] })).toEqual([]);
    expect(cleanupKinds({ deliveries: gone, removals: [removal(11.5, 'dev')] })).toContain('early');
  });

  it('takes a push for the older one where the last push began with its commit', () => {
    const next: Change = { kind: 'push', branch: 'dev', hash: 'b', before: 'a' };
    const late = [sent(0.1, [next]), sent(0.2, [pushed('a', 'dev')])];
    const of = (hash: string): Change => ({ kind: 'deletion', branch: 'dev', hash });
    const removals = [removal(12, 'dev')];
    expect(cleanupKinds({ deliveries: [...late, sent(1, [of('b')])], removals })).toEqual([]);
    expect(cleanupKinds({ deliveries: [...late, sent(1, [of('a')])], removals })).toEqual([
      'unasked',
    ]);
    // Back to that commit: it came after it.
    const back: Change = { kind: 'push', branch: 'dev', hash: 'a', before: 'b' };
    const pushes = [sent(0.1, [next]), sent(0.2, [back])];
    expect(cleanupKinds({ deliveries: [...pushes, sent(1, [of('a')])], removals })).toEqual([]);
  });

  it('goes by what comes to any hook of the workflow', () => {
    const deliveries = [deletion, sent(3, [pushed('a', 'dev')], { hook: 'other' })];
    const of = { deliveries, removals: [removal(12, 'dev')] };
    expect(cleanupKinds({ ...of, sameWorkflow: { other: 'h' } })).toEqual(['hit']);
    expect(cleanupKinds(of)).toEqual([]);
  });

  it('counts from the last deletion', () => {
    const deliveries = [deletion, sent(5, [deleted('dev')])];
    expect(cleanupKinds({ deliveries, removals: [removal(12, 'dev')] })).toContain('early');
    expect(cleanupKinds({ deliveries, removals: [removal(16, 'dev')] })).toEqual([]);
  });

  it('knows deletions that polls find, and pushes to the branch once a delivery or a run told of them', () => {
    const at = (second: number) => T0 + second * 1_000;
    const gone: PushedChange = { hook: 'h', change: deleted('dev'), at: at(1) };
    const cleanup = { removals: [removal(12, 'dev')] };
    expect(cleanupKinds({ pushed: [gone] })).toEqual(['lost']);
    expect(cleanupKinds({ pushed: [gone], removals: [removal(5, 'dev')] })).toEqual(['early']);
    expect(cleanupKinds({ pushed: [gone], ...cleanup })).toEqual([]);

    const back: PushedChange = { hook: 'h', change: pushed('a', 'dev'), at: at(5) };
    const pushes = [gone, back];
    expect(cleanupKinds({ pushed: pushes })).toEqual([]);
    expect(cleanupKinds({ pushed: pushes, ...cleanup })).toEqual([]);
    expect(cleanupKinds({ pushed: pushes, ...cleanup, runs: [run(6, 'a')] })).toEqual(['hit']);
    // Executions have nanoseconds.
    const deliveries = [sent(6, [pushed('a', 'dev')], { timestamp: at(6) * 1e6 })];
    expect(cleanupKinds({ pushed: pushes, ...cleanup, deliveries })).toEqual(['hit']);
  });

  it('goes by the wall clocks as they stood', () => {
    const shift = (second: number, hours: number, replica = 'hooks-1') => ({
      replica,
      at: T0 + second * 1_000,
      shiftMs: hours * HOUR,
    });
    const deliveries = [deletion];
    const removals = [removal(5, 'dev')];
    const begin = [shift(0, 0), shift(0, 0, 'hooks-2')];
    const jump = shift(4, 25, 'hooks-2');
    expect(cleanupKinds({ deliveries, removals, clocks: [...begin, jump] })).toEqual([]);
    expect(cleanupKinds({ deliveries, removals, clocks: begin })).toEqual(['early']);
    const isBack = shift(2, 0, 'hooks-2');
    const before = { ...jump, at: T0 + 1_500 };
    expect(cleanupKinds({ deliveries, removals, clocks: [...begin, before, isBack] })).toEqual([
      'early',
    ]);
    // Accepted by a clock that is put back afterwards: due in 25 h, not before, and not lost
    // meanwhile.
    const putBack = [shift(0, 25), shift(3, 0)];
    expect(cleanupKinds({ deliveries, clocks: putBack })).toEqual([]);
    expect(cleanupKinds({ deliveries, removals: [removal(20, 'dev')], clocks: putBack })).toEqual([
      'early',
    ]);
    const forwardAgain = [...putBack, shift(30, 25)];
    expect(cleanupKinds({ deliveries, clocks: forwardAgain })).toEqual(['lost']);
    // Set while the deletion was on its way: it may be due by either clock.
    const during = (hours: number) => [...begin, shift(1.2, hours, 'hooks-2'), isBack];
    expect(cleanupKinds({ deliveries, clocks: during(25) })).toEqual([]);
    expect(cleanupKinds({ deliveries, removals, clocks: during(-25) })).toEqual([]);
    expect(cleanupKinds({ deliveries, clocks: during(-25) })).toEqual(['lost']);
    expect(cleanupKinds({ deliveries, removals, clocks: during(25) })).toEqual(['early']);
  });
});

describe('checkIntake', () => {
  const intake = (change: Partial<SentDelivery>) =>
    checkIntake(history({ deliveries: [sent(1, [pushed('a')], change)] })).length;

  it('takes 200, a prompt 503 with Retry-After, and a connection that broke', () => {
    expect(intake({})).toBe(0);
    expect(intake({ status: 503, retryAfter: '5' })).toBe(0);
    expect(intake({ status: undefined, failure: 'connection' })).toBe(0);
  });

  it('finds an answer that is late, missing or wrong', () => {
    expect(intake({ tookMs: 2_600 })).toBe(1);
    expect(intake({ status: 503, retryAfter: undefined })).toBe(1);
    expect(intake({ status: undefined, failure: 'timeout', tookMs: 60_000 })).toBe(1);
    expect(intake({ status: 500 })).toBe(1);
    expect(intake({ status: 404 })).toBe(1);
  });

  it('wants what is forged to be refused', () => {
    expect(intake({ authentic: false, status: 401 })).toBe(0);
    expect(intake({ authentic: false, status: 200 })).toBe(1);
  });
});

describe('checkRecovery', () => {
  it('measures the first new run and the last old one from the fault’s end, and finds both too late', () => {
    const deliveries = [sent(1, [pushed('a')]), sent(5, [pushed('b')])];
    const faultEndedAt = T0 + 4_000;
    const quick = history({ deliveries, runs: [run(6, 'a'), run(7, 'b')], faultEndedAt });
    expect(checkRecovery(quick)).toEqual({ violations: [], firstRunMs: 3_005, drainedMs: 2_005 });
    const slow = history({ deliveries, runs: [run(66, 'a'), run(67, 'b')], faultEndedAt });
    expect(kinds(checkRecovery(slow).violations)).toEqual(['recovery', 'recovery']);
  });
});

describe('checkRecovery of late deliveries', () => {
  it('does not take a run from before for the first one after the fault', () => {
    const late = sent(20, [pushed('a')]);
    const runs = [run(3, 'a')];
    const { firstRunMs } = checkRecovery(history({ deliveries: [late], runs }));
    expect(firstRunMs).toBeUndefined();
  });
});

describe('schedules', () => {
  /** Each second from the first to the last has an execution and a run, asked for 100 ms later. */
  function watched(seconds: number[], change: Partial<WatchedSchedule> = {}): WatchedSchedule {
    const times = seconds.map((second) => T0 + second * 1_000);
    return {
      hook: 'h',
      periodMs: 1_000,
      executions: times.map((time, index) => ({ time, run: index + 1 })),
      runs: times.map((time, index) => ({ number: index + 1, askedAt: time + 100 })),
      mostDoubles: 0,
      withinMs: 1_500,
      fault: { from: Infinity, until: Infinity },
      ...change,
    };
  }
  const kinds = (schedule: WatchedSchedule) => checkSchedule(schedule).map(({ kind }) => kind);

  it('pass where each time has one run in time', () => {
    expect(checkSchedule(watched([1, 2, 3, 4]))).toEqual([]);
  });

  it('fail for a time that is left out, comes twice, or has no run', () => {
    expect(kinds(watched([1, 2, 4]))).toEqual(['lost']);
    expect(kinds(watched([1, 2, 2, 3]))).toEqual(['doubled']);
    expect(kinds(watched([1, 2], { runs: [{ number: 1, askedAt: T0 + 1_100 }] }))).toEqual([
      'lost',
    ]);
  });

  it('fail for a run of no time beyond those that are excused', () => {
    const schedule = watched([1, 2]);
    schedule.runs.push({ number: 3, askedAt: T0 + 2_200 });
    expect(kinds(schedule)).toEqual(['doubled']);
    expect(kinds({ ...schedule, mostDoubles: 1 })).toEqual([]);
  });

  it('fail for a run before its time, and for one long after it unless a fault was on', () => {
    const early = watched([1, 2]);
    early.runs[1] = { number: 2, askedAt: T0 + 1_999 };
    expect(kinds(early)).toEqual(['early']);
    const late = watched([1, 2]);
    late.runs[1] = { number: 2, askedAt: T0 + 3_501 };
    expect(kinds(late)).toEqual(['late']);
    expect(kinds({ ...late, fault: { from: T0 + 2_500, until: T0 + 3_000 } })).toEqual([]);
    expect(kinds({ ...late, fault: { from: T0 - 9_000, until: T0 + 1_000 } })).toEqual(['late']);
  });

  it('may leave times out while no process runs, but the last one', () => {
    const schedule = watched([1, 2, 3, 20, 21]);
    const at = (seconds: number) => T0 + seconds * 1_000;
    const kindsWith = (from: number, until: number, readyAt: number) =>
      kinds({ ...schedule, away: { from: at(from), until: at(until), readyAt: at(readyAt) } });
    expect(kinds(schedule)).toEqual(['lost']);
    expect(kindsWith(3, 19, 20.1)).toEqual([]);
    expect(kindsWith(3, 20.5, 21)).toEqual([]);
    expect(kindsWith(3, 4, 20.1)).toEqual([]);
    // It ran before that, worked long before it, or did not take the last one.
    expect(kindsWith(5, 19, 20.1)).toEqual(['lost']);
    expect(kindsWith(3, 9, 19.9)).toEqual(['lost']);
    expect(kindsWith(3, 21.5, 22)).toEqual(['lost']);
  });
});
