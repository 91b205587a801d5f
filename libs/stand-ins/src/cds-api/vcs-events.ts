import { Router } from 'express';
import * as z from 'zod';
import { answerJson, ApiRefusal } from './api-refusal';
import type { Workflow } from './model';
import type { ProjectStore } from './project-store';
import type { VcsCalls } from './vcs-calls';

const NANOSECONDS = 1_000_000_000n;

const eventsSchema = z.object({ events: z.array(z.unknown()).nullable(), delay: z.number() });
const pushSchema = z.looseObject({ commit: z.looseObject({ id: z.string() }) });
const pushesSchema = z.array(pushSchema);
const pullRequestsSchema = z.array(z.looseObject({ head: pushSchema }));

/**
 * What the API answers to a hook that polls: it asks `vcs`, and leaves out commits that have a run.
 */
export function createVcsEvents(deps: {
  projects: ProjectStore;
  vcs: VcsCalls;
  asksForDeletions: boolean;
}): Router {
  const { projects } = deps;
  const router = Router({ strict: true, caseSensitive: true });

  router.get('/hook/:uuid/workflow/:workflow/vcsevent/:server', async (request, response) => {
    const { uuid, workflow: workflowId, server } = request.params;
    if (!/^\d+$/.test(workflowId)) throw new ApiRefusal('wrongRequest', 'the id of the workflow');
    const since = sinceOf(request.get('x-cds-last-execution'));
    const hook = projects.hooks().find((one) => one.uuid === uuid);
    if (!hook) throw new ApiRefusal('notFound');
    const project = hook.config['project']?.value ?? '';
    const workflow = projects.workflow(project, hook.config['workflow']?.value ?? '');
    const vcs = deps.vcs.ofProject(project, server);
    if (!(await deps.vcs.credentialOf(project, server).isPolled(vcs))) {
      answerJson(response, 200, null);
      return;
    }

    const path = `/repos/${hook.config['repoFullName']?.value}/events`;
    const found = eventsSchema.parse(await vcs('GET', `${path}?since=${since / NANOSECONDS}`));
    const events = found.events ?? [];
    const filtered = (filter: string) => vcs('POST', `${path}?filter=${filter}`, events);
    const isNew = ({ id }: { id: string }): boolean => !hasRun(workflow, id);
    const pushes = pushesSchema.parse(await filtered('push'));
    const [creates, deletes] = deps.asksForDeletions
      ? [await filtered('create'), await filtered('delete')]
      : [null, null];
    const pullRequests = pullRequestsSchema.parse(await filtered('pullrequests'));
    response.set('X-CDS-Poll-Interval', (found.delay / Number(NANOSECONDS)).toFixed(0));
    answerJson(response, 200, {
      push_events: orNull(pushes.filter(({ commit }) => isNew(commit))),
      create_events: creates,
      delete_events: deletes,
      pullrequest_events: orNull(pullRequests.filter(({ head }) => isNew(head.commit))),
    });
  });

  return router;
}

/** Nanoseconds; now when it is not said. */
function sinceOf(header: string | undefined): bigint {
  if (header === undefined || header === '') return BigInt(Date.now()) * 1_000_000n;
  if (!/^\d{1,19}$/.test(header)) throw new ApiRefusal('wrongRequest', 'X-CDS-Last-Execution');
  return BigInt(header);
}

function hasRun({ runs }: Workflow, hash: string): boolean {
  return runs.some(({ event }) => event.payload['git.hash'] === hash);
}

/** As Go writes a list that nothing was added to. */
function orNull<T>(list: T[]): T[] | null {
  return list.length === 0 ? null : list;
}
