import { CdsError, isCdsError } from '@cds/wire';
import type { Resources } from '../../resources';
import type { HandledTask } from '../task-handler';
import { askForEvents, polledHook } from './ask-for-events';

/** A user waits for the answer. */
const DEADLINE_MS = 10_000;

/**
 * Refuses the start of a poller whose repository cannot be polled. Only the API knows: it is asked
 * unless the last poll succeeded. During an API outage, or when the API reaches no `vcs`, the task
 * starts.
 *
 * @throws CdsError 501 with the reason
 */
export async function checkPolling(
  resources: Pick<Resources, 'api' | 'callApi' | 'stores'>,
  { uuid, config }: HandledTask,
): Promise<void> {
  const { polls } = resources.stores;
  if ((await polls.lastError(uuid)) === '') return;
  const hook = polledHook(uuid, config);
  // The module's `unsupported` has refused it before.
  if (typeof hook === 'string') return;
  const since = await polls.now();
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    const answer = await askForEvents(resources, hook, since, deadline);
    if (answer.result === 'ok' || answer.result === 'unavailable') return;
    throw new CdsError('notImplemented', {
      from: `a task of type RepoPoller cannot be started: ${answer.error}`,
    });
  } catch (error) {
    if (isCdsError(error) || !deadline.aborted) throw error;
  }
}
