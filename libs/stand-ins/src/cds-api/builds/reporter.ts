import type { VcsCall, VcsCredential } from '../credentials/credential';
import type { NodeStatus, WorkflowRun } from '../model';

/** What the API asks of `vcs`, and tells it, while a run is built. */
export interface Reporter {
  /** Looks up what is to be built. @throws where the run fails by it */
  prepare(): Promise<void>;
  started(): Promise<void>;
  /** Whether `vcs` hears of it does not change what the run came to. */
  ended(result: 'Success' | 'Fail'): Promise<void>;
}

export interface ReporterDeps {
  vcs: VcsCall;
  credential: VcsCredential;
  run: WorkflowRun;
  application: { server: string; repo: string };
  uiUrl: string;
}

export type ReporterOf = (deps: ReporterDeps) => Reporter;

/** An event is tried so often, then dropped, and the run does not notice. */
const EVENT_ATTEMPTS = 3;

/** Posts a status until it is taken. */
export async function postStatus(
  { vcs, run }: Pick<ReporterDeps, 'vcs' | 'run'>,
  status: NodeStatus,
  body: unknown,
): Promise<void> {
  for (let attempt = 1; attempt <= EVENT_ATTEMPTS; attempt += 1) {
    try {
      await vcs('POST', '/status', body);
      return;
    } catch (error) {
      if (attempt === EVENT_ATTEMPTS)
        run.problems.push(`the event ${status} was dropped: ${String(error)}`);
    }
  }
}
