import type { Request } from 'express';
import { ApiRefusal } from './api-refusal';
import type { Workflow, WorkflowRun } from './model';

const DEFAULT_LIMIT = 10;
const MOST = 100;

/** One page of a workflow's runs, newest first. */
export interface RunPage {
  status: 200 | 206;
  headers: Record<string, string>;
  runs: Record<string, unknown>[];
}

/**
 * What `GET …/runs` answers
 * (https://github.com/ovh/cds/blob/v0.57.0/engine/api/workflow/dao_run.go, LoadRunsSummaries):
 * every parameter but `offset`, `limit` and `workflow` is a tag. With one tag alone removed runs
 * are listed, too, until they are purged; the count is that of all runs, whatever was asked for.
 *
 * @throws ApiRefusal 400 for an offset or a limit that is no number
 */
export function listRuns(workflow: Workflow, request: Pick<Request, 'query' | 'path'>): RunPage {
  const offset = Math.max(0, numberIn(request.query['offset']));
  const limit = Math.min(MOST, numberIn(request.query['limit']) || DEFAULT_LIMIT);
  const { runs, removedRuns } = workflow;
  const count = runs.length;
  if (count === 0) return { status: 200, headers: range(0, 0, 0), runs: [] };
  const tags = Object.entries(request.query)
    .filter(([name]) => !['offset', 'limit', 'workflow'].includes(name))
    .map(([name, value]) => [name, String(value)] as const);
  const all = tags.length === 1 ? [...removedRuns, ...runs] : runs;
  const page = all
    .filter((run) => tags.every((tag) => hasTag(run, tag, tags.length)))
    .toSorted((one, other) => other.id - one.id)
    .slice(offset, offset + limit);
  const hasMore = page.length < count;
  return {
    status: hasMore ? 206 : 200,
    headers: {
      ...range(offset, limit, count),
      ...(hasMore ? { Link: `<${request.path}?offset=0&limit=${limit}>; rel="first"` } : {}),
    },
    runs: page.map(summaryOf),
  };
}

function range(offset: number, limit: number, count: number): Record<string, string> {
  return { 'Accept-Range': 'run 50', 'Content-Range': `${offset}-${limit}/${count}` };
}

function numberIn(text: unknown): number {
  if (text === undefined || text === '') return 0;
  if (typeof text !== 'string' || !/^-?\d+$/.test(text)) throw new ApiRefusal('wrongRequest');
  return Number(text);
}

/**
 * Several tags are compared in one list whose separator is a comma: a value with one is never
 * found.
 */
function hasTag(
  run: WorkflowRun,
  [name, value]: readonly [string, string],
  asked: number,
): boolean {
  const isCompared = asked === 1 || !value.includes(',');
  return isCompared && tagsOf(run).some(({ tag, value: own }) => tag === name && own === value);
}

/** What a run is found by. */
export function tagsOf({ event }: WorkflowRun): { tag: string; value: string }[] {
  const { payload } = event;
  return [
    { tag: 'triggered_by', value: payload['cds.triggered_by.username'] ?? 'cds.hook' },
    { tag: 'git.branch', value: payload['git.branch'] ?? '' },
    { tag: 'git.tag', value: payload['git.tag'] ?? '' },
    { tag: 'git.author', value: payload['git.author'] ?? '' },
  ].filter(({ value }) => value !== '');
}

function summaryOf(run: WorkflowRun): Record<string, unknown> {
  return {
    ...{ id: run.id, num: run.number, status: run.status, start: run.askedAt },
    ...{ last_modified: run.askedAt, last_subnumber: 0, last_execution: run.askedAt },
    tags: tagsOf(run),
  };
}
