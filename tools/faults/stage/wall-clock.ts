import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClockShift } from '../checker/history';

/** What a service is preloaded with so that its clock can be set. */
export const SHIFT_DATE = join(__dirname, '..', 'shift-date.cjs');
/** Longer than a service takes to see that its clock was set. */
const SEEN_MS = 50;

/** The wall clock of one replica. */
export interface WallClock {
  env: Record<string, string>;
  /** Sets it ahead of the real one by so many ms, 0 for back to normal. */
  shift(ms: number): Promise<void>;
}

export function createWallClock(folder: string, replica: string, shifts: ClockShift[]): WallClock {
  const file = join(folder, `${replica}.clock`);
  let current = 0;
  writeFileSync(file, '0');
  shifts.push({ replica, at: Date.now(), shiftMs: 0 });
  return {
    env: { FAULTS_CLOCK_FILE: file },
    async shift(ms) {
      // Until it has seen it, the replica may go by either: the later one counts.
      if (ms > current) shifts.push({ replica, at: Date.now(), shiftMs: ms });
      writeFileSync(file, String(ms));
      await sleep(SEEN_MS);
      if (ms <= current) shifts.push({ replica, at: Date.now(), shiftMs: ms });
      current = ms;
    },
  };
}
