import { randomUUID } from 'node:crypto';
import { GO_ZERO_TIME, type OutgoingCallback } from '@cds/wire';
import type { ApiCall, CdsApiStandIn } from './cds-api';

interface Answer {
  status: number;
  body: unknown;
}

const ROUTE =
  /^(\/project\/[^/]+\/workflows\/[^/]+\/runs\/\d+)(?:\/hooks\/([^/]+)\/(details|callback))?$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function notFound(): Answer {
  const body = { id: 38, message: 'resource not found', data: null, uuid: randomUUID() };
  return { status: 404, body };
}

/** What is wrong with a callback: the real API would not have understood it. */
function faultOf(callback: Partial<OutgoingCallback>): string | undefined {
  const keys = Object.keys(callback).sort().join();
  if (keys !== 'done,log,start,status,workflow_node_outgoing_hook_id,workflow_run_number') {
    return `callback with ${keys}`;
  }
  const { start = '', done = '', status, log, workflow_run_number: run } = callback;
  if (!Number.isSafeInteger(callback.workflow_node_outgoing_hook_id)) return 'callback of no node';
  if (!RFC3339.test(start) || !RFC3339.test(done)) return `callback from ${start} to ${done}`;
  if (typeof log !== 'string' || log === '') return 'callback without a log';
  if (status === 'Building') {
    return done === GO_ZERO_TIME && Number(run) > 0 ? undefined : 'Building, but not of a run';
  }
  if (status !== 'Success' && status !== 'Fail') return `callback with the status ${status}`;
  return run === null && done !== GO_ZERO_TIME ? undefined : `${status}, but not over`;
}

/** The routes that outgoing hooks use. @returns undefined for other calls */
export function performOutgoing(
  api: CdsApiStandIn,
  { method, url, body, at }: ApiCall,
  violation: (what: string) => void,
): Answer | undefined {
  const [, path = '', hookRun, what] = ROUTE.exec(url) ?? [];
  if (path === '' || method !== (what === 'callback' ? 'POST' : 'GET')) return undefined;
  const run = api.hookRuns.get(path);
  if (!run) return notFound();
  const committed = [...run.hooks].filter(([, { committedAt = 0 }]) => committedAt <= Date.now());
  if (hookRun === undefined) {
    const nodes = committed.map(([uuid, { parameters }]) => ({
      uuid,
      outgoinghook: { id: 1 },
      build_parameters: parameters,
    }));
    return {
      status: 200,
      body: {
        status: committed.length > 0 ? run.status : 'Pending',
        nodes: { '2': [{ uuid: '' }], '3': nodes },
      },
    };
  }
  const hook = new Map(committed).get(hookRun);
  if (!hook) return notFound();
  if (what === 'details') {
    // As the real one: secrets are added to what it does not load, and there may be none.
    const parameters = hook.secrets.length > 0 ? { build_parameters: hook.secrets } : {};
    return { status: 200, body: { uuid: hookRun, outgoinghook: { id: 1 }, ...parameters } };
  }
  const fault = faultOf((body ?? {}) as Partial<OutgoingCallback>);
  if (fault) {
    violation(`${url}: ${fault}`);
    return {
      status: 400,
      body: { id: 74, message: 'wrong request', data: null, uuid: randomUUID() },
    };
  }
  api.callbacks.push({ url, callback: body as OutgoingCallback, at });
  return { status: 204, body: null };
}
