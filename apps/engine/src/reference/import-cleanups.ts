import { cleanupId, importedName } from '@cds/hooks-store';
import { type Deletion, type ImportDeps, type KnownTasks, workflowName } from './import-tasks';
import { pushedBranches, wasPushedSince } from './pushed-branches';
import { stateOfExecution } from './reference-records';

/** From the deletion of a branch to the removal of its runs, in the reference. */
const REFERENCE_DELAY_NS = 86_400_000_000_000n;

/**
 * Imports the cleanups that the reference scheduled, with their dates. Import deliveries after
 * them: a push brings its branch back.
 */
export async function importCleanups(deps: ImportDeps, known: KnownTasks): Promise<void> {
  const { reference, redis, into, reporter, retryError } = deps;
  /** Hook → branch → when the reference last processed a push to it (ns). */
  const pushes = new Map<string, Map<string, number>>();

  async function pushesOf(hook: string): Promise<Map<string, number>> {
    const before = pushes.get(hook);
    if (before) return before;
    const found = new Map<string, number>();
    const timestamps = await reference.timestamps('RepoWebHook', hook);
    for await (const { execution } of reference.executions('RepoWebHook', hook, timestamps)) {
      if (!execution.ok || execution.value.processing_timestamp === 0) continue;
      const at = execution.value.processing_timestamp;
      for (const branch of pushedBranches(execution.value.webhook?.request_body ?? ''))
        found.set(branch, Math.max(at, found.get(branch) ?? 0));
    }
    pushes.set(hook, found);
    return found;
  }

  async function isBack(hooks: string[], branch: string, deletedNs: bigint): Promise<boolean> {
    for (const hook of hooks) {
      if (((await pushesOf(hook)).get(branch) ?? 0) > Number(deletedNs)) return true;
      if (await wasPushedSince(redis, hook, branch, String(deletedNs / 1000n))) return true;
    }
    return false;
  }

  async function importOne(deletion: Deletion, timestamp: string): Promise<void> {
    const { uuid, key, project, workflow, branch } = deletion;
    const due = Number((BigInt(timestamp) + 999_999n) / 1_000_000n);
    const deletedNs = BigInt(timestamp) - REFERENCE_DELAY_NS;
    const name = workflowName(project, workflow);
    const row = (result: string) =>
      reporter.row({
        ...{ kind: 'cleanup', type: 'BranchDeletion', uuid, workflow: name, result },
        date: new Date(due).toISOString(),
      });

    const marker = importedName('cleanup', uuid, timestamp);
    if ((await into.known([marker])).has(marker)) return row('imported before');
    const passOver = async (result: string) => {
      await into.passOver(uuid, timestamp);
      row(result);
    };
    if (deletion.stopped) return passOver('called off there');
    const hooks = known.byWorkflow.get(name) ?? [];
    const repositories = new Set(hooks.map((one) => one.repository));
    const uuids = hooks.map((one) => one.uuid).sort();
    const [[repository = ''], [hook]] = [repositories, uuids];
    if (hook === undefined || repositories.size > 1) {
      const why = hook === undefined ? 'no repository webhook' : 'more than one repository';
      return reporter.problem(
        key,
        `the runs of its branch are not removed: ${why} of ${name} is known, ` +
          'so that no push could call it off',
      );
    }
    if (await isBack(uuids, branch, deletedNs)) return passOver('branch is back');
    const result = await into.cleanup({
      ...{ uuid, timestamp, due, hook, project, workflow, repository, branch },
      id: cleanupId({ project, workflow, branch }),
      accepted: String(deletedNs / 1000n),
    });
    if (result === 'busy')
      return reporter.problem(key, `hook ${hook} was held all the time: import again`);
    row({ ok: 'imported', known: 'imported before', back: 'branch is back' }[result]);
  }

  for (const deletion of known.deletions) {
    const { uuid, key, project, workflow, branch } = deletion;
    if (!project || !workflow || !branch) {
      reporter.problem(key, 'not as CDS writes it: config');
      continue;
    }
    const timestamps = await reference.timestamps('BranchDeletion', uuid);
    for await (const found of reference.executions('BranchDeletion', uuid, timestamps)) {
      const { timestamp, execution } = found;
      if (!execution.ok) reporter.problem(found.key, execution.reason);
      else if (stateOfExecution(execution.value, retryError) !== 'done')
        await importOne(deletion, timestamp);
    }
  }
}
