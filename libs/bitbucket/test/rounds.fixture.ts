import type { FakeServer } from './fake-server.fixture';

/** So long nothing more comes: then all that could be asked for side by side was asked for. */
const QUIET_MS = 80;
const MAX_REQUESTS = 1_000;

/**
 * How many calls follow each other in `work`. The server answers in rounds, when nothing more is
 * asked for: their number is the length of the longest chain, however fast the machine is.
 */
export async function depthOf(server: FakeServer, work: () => Promise<unknown>): Promise<number> {
  let rounds = 0;
  let waiting: (() => void)[] = [];
  let quiet: NodeJS.Timeout | undefined;
  const answerAll = () => {
    rounds += 1;
    const all = waiting;
    waiting = [];
    for (const answer of all) answer();
  };
  const hold = async () => {
    clearTimeout(quiet);
    quiet = setTimeout(answerAll, QUIET_MS);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return undefined;
  };
  server.scripted.push(...Array.from({ length: MAX_REQUESTS }, () => hold));
  try {
    await work();
  } finally {
    server.scripted.length = 0;
    clearTimeout(quiet);
  }
  return rounds;
}
