import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowRun } from '../model';
import type { Reporter } from './reporter';

export interface BuildDeps {
  reporter: Reporter;
  /** How long the work of a build takes. */
  durationMs: () => number;
  result: () => 'Success' | 'Fail';
  signal: AbortSignal;
}

/** Builds a run the way the API does it, as far as `vcs` is concerned. */
export async function build(deps: BuildDeps, run: WorkflowRun): Promise<void> {
  const { reporter } = deps;
  run.status = 'Building';
  await reporter.prepare();
  await reporter.started();
  await sleep(deps.durationMs(), undefined, { signal: deps.signal });
  const result = deps.result();
  await reporter.ended(result);
  run.status = result;
}
