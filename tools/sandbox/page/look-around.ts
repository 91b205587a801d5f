import { setTimeout as sleep } from 'node:timers/promises';
import type { Task } from '@cds/wire';
import type { CdsApiStandIn } from '@cds/stand-ins/cds-api';
import { sendRequest } from '@cds/stand-ins/http';

/** What only the services know. */
export interface Seen {
  /** Those of hooks: the scheduled cleanups are among them. */
  tasks: Task[];
  /** The addresses of services that answer. */
  up: ReadonlySet<string>;
}

const PATIENCE_MS = 2_000;

/**
 * Asks the services how they are, beside what the API asks of them: it is nothing for the list of
 * calls.
 */
export async function lookAround(api: CdsApiStandIn): Promise<Seen> {
  const [tasks, up] = await Promise.all([tasksOf(api), answering(api)]);
  return { tasks, up };
}

async function tasksOf(api: CdsApiStandIn): Promise<Task[]> {
  const late = new AbortController();
  try {
    return await Promise.race([
      api.tasks({ unlogged: true }),
      sleep(PATIENCE_MS, [], { signal: late.signal }),
    ]);
  } catch {
    return [];
  } finally {
    late.abort();
  }
}

async function answering(api: CdsApiStandIn): Promise<Set<string>> {
  const urls = api.services().map(({ url }) => url);
  const answers = await Promise.all(
    urls.map((url) =>
      sendRequest({ method: 'GET', url: `${url}/mon/version`, timeoutMs: PATIENCE_MS }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    ),
  );
  return new Set(urls.filter((_url, index) => answers[index]));
}
