import { constants, openSync } from 'node:fs';

/**
 * Opens the terminal of a descriptor once more, with `O_NONBLOCK`: a write to a terminal that
 * nobody reads, or that Ctrl-S stopped, would wait in the kernel. On `fd` itself the flag would
 * hold for the shell too.
 * @returns a descriptor; `fd` where its terminal cannot be opened
 */
export function openWithoutWaiting(fd: number): number {
  const { O_WRONLY, O_NOCTTY, O_NONBLOCK } = constants;
  // Linux knows what a descriptor leads to; after `su` only the second may be opened.
  for (const path of [`/proc/self/fd/${fd}`, '/dev/tty']) {
    try {
      return openSync(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
    } catch {
      // The next one.
    }
  }
  return fd;
}
