import { waitFor } from '@cds/testing';
import type { Replica } from './replica';

export interface StatusLine {
  /** OK, WARN, AL */
  status: string;
  value: string;
}

/** One line of `/mon/status`; undefined where the service has no such component. */
export async function statusOf(
  { url }: Replica,
  component: string,
): Promise<StatusLine | undefined> {
  const answer = await fetch(`${url}/mon/status`);
  const { lines } = (await answer.json()) as { lines: (StatusLine & { component: string })[] };
  return lines.find((line) => line.component === component);
}

/** Resolves when a `hooks` works on the state in Redis: it listens before it does. */
export async function atWork(replica: Replica): Promise<void> {
  await waitFor(async () => (await statusOf(replica, 'State'))?.status === 'OK', {
    what: `${replica.name} to work on the state`,
  });
}
