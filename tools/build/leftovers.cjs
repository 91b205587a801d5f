const { setImmediate: nextTurn, setTimeout: sleep } = require('node:timers/promises');

// Node opens these pipes where they are first used, by a thread of a spec for instance.
void [process.stdin, process.stdout, process.stderr];

const POLL_MS = 20;
/** A timer that is alone and outlasts these polls was forgotten. */
const MAX_TIMER_POLLS = 150;
/** Other processes may have to see that a connection ends, on a machine that is busy. */
const PATIENCE_MS = 60_000;

/**
 * What keeps this process alive: how many of each kind (`Timeout`, `TCPSocketWrap`, `ProcessWrap`).
 */
function activeResources() {
  const counts = new Map();
  for (const kind of process.getActiveResourcesInfo())
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Waits for what ends by itself. Resolves with the rest, `['2 Timeout']` for instance. */
async function leftoversSince(before, patienceMs = PATIENCE_MS) {
  const began = performance.now();
  let timerPolls = 0;
  await nextTurn();
  for (;;) {
    const left = [...activeResources()]
      .map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)])
      .filter(([, count]) => count > 0);
    if (left.length === 0) return [];
    timerPolls = left.every(([kind]) => kind === 'Timeout') ? timerPolls + 1 : 0;
    if (timerPolls > MAX_TIMER_POLLS || performance.now() - began > patienceMs)
      return left.map(([kind, count]) => `${count} ${kind}`);
    await sleep(POLL_MS);
  }
}

module.exports = { activeResources, leftoversSince };
