import { readFileSync } from 'node:fs';

/** The kernel counts CPU time in hundredths of a second, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What a process has used up so far. */
export interface Usage {
  /** User and system, all threads. */
  cpuSeconds: number;
  /** Resident, MB. */
  memoryMb: number;
  /** The most that was resident, MB. */
  peakMemoryMb: number;
}

/** From /proc. @throws Error where there is none, or no such process */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name, in brackets, and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (key: string): number =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    memoryMb: megabytes('VmRSS'),
    peakMemoryMb: megabytes('VmHWM'),
  };
}
