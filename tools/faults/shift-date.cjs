// Preloaded by `node --require` into a service: its wall clock runs ahead by the milliseconds that
// the file named in FAULTS_CLOCK_FILE holds, and jumps when that file changes. Monotonic clocks and
// timers are as they were, as with a real clock that is set.
const { readFileSync } = require('node:fs');

const LOOK_EVERY_MS = 10;
const file = process.env.FAULTS_CLOCK_FILE;
const RealDate = Date;
let shift = 0;
let nextLook = -Infinity;

function now() {
  const running = performance.now();
  if (running >= nextLook) {
    nextLook = running + LOOK_EVERY_MS;
    try {
      shift = Number(readFileSync(file, 'utf8')) || 0;
    } catch {
      // Just being written: what was read last holds.
    }
  }
  return RealDate.now() + shift;
}

globalThis.Date = new Proxy(RealDate, {
  construct(target, args, newTarget) {
    return Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget);
  },
  apply: () => new RealDate(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});
