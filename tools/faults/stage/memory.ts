import { readFileSync } from 'node:fs';

/** Resident memory in MB: now, and the most since the process began. */
export interface Memory {
  now: number;
  peak: number;
}

/** Undefined where there is no /proc, and no such process. */
export function memoryOf(pid: number): Memory | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const megabytes = (name: string): number =>
      Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024);
    const peak = megabytes('VmHWM');
    return peak === 0 ? undefined : { now: megabytes('VmRSS'), peak };
  } catch {
    return undefined;
  }
}
