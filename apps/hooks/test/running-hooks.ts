import { createAnswerCheck, type AnswerCheck, type DescribedApi } from '@cds/testing/openapi';
import { waitFor } from '@cds/testing';
import type { NodeHook, Task, TaskExecution } from '@cds/wire';
import type { HooksService } from '../src/hooks-service';
import type { CdsApiStandIn } from './cds-api';

/** A running `hooks` service and how its callers reach it. */
export interface RunningHooks {
  url: string;
  service: HooksService;
  /** With the authentication of the API. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** As anybody outside calls. */
  webhook(uuid: string, request?: WebhookRequest): Promise<Response>;
  task(uuid: string): Promise<Task>;
  tasks(): Promise<Task[]>;
  executions(uuid: string): Promise<TaskExecution[]>;
  status(): Promise<Record<string, { status: string; value: string }>>;
  /** Waits until the hooks of the API were read, so that what is not there is known not to be. */
  synchronized(): Promise<void>;
}

export interface WebhookRequest {
  method?: string | undefined;
  query?: string | undefined;
  headers?: Record<string, string> | undefined;
  body?: string | Buffer | undefined;
}

let answerCheck: Promise<AnswerCheck> | undefined;

/** Holds all that any spec gets to see against the document that the service serves. */
export function documentOf(url: string): Promise<AnswerCheck> {
  answerCheck ??= fetch(`${url}/openapi.json`).then(async (response) =>
    createAnswerCheck((await response.json()) as DescribedApi),
  );
  return answerCheck;
}

/** @returns its body. @throws Error when the document describes another answer */
async function checked(method: string, answered: Response): Promise<string> {
  const { status, headers, url } = answered;
  const text = await answered.clone().text();
  const { origin } = new URL(url);
  const path = url.slice(origin.length);
  const contentType = headers.get('content-type');
  (await documentOf(origin)).answer({ method, path, status, contentType, text });
  return text;
}

/** @param name as it registers with the API */
export function runningHooks(
  url: string,
  service: HooksService,
  api: CdsApiStandIn,
  name: string,
): RunningHooks {
  let knownTo = '';
  /** Whether the API lists its hooks now. */
  function listsHooks(): boolean {
    const call = { method: 'GET', url: '/workflow/hook', body: null, at: Date.now() };
    return api.behave(call) === 'ok';
  }

  /** The hash, once the service has it, too. */
  async function currentHash(): Promise<string> {
    await waitFor(() => api.registrations.some((registration) => registration.name === name), {
      what: 'the registration',
    });
    const hash = api.hash();
    const headers = { X_AUTH_HEADER: Buffer.from(hash).toString('base64') };
    if (hash !== knownTo) {
      await waitFor(async () => (await fetch(`${url}/task`, { headers })).ok);
      if (listsHooks()) await hooks.synchronized();
    }
    knownTo = hash;
    return hash;
  }

  /**
   * The body of the answer. Asks again, as the API does, where Redis was too slow: a busy machine.
   */
  async function read(path: string): Promise<unknown> {
    const answer = async () => {
      const found = await hooks.call('GET', path);
      return found.status === 503 ? undefined : found;
    };
    return (await waitFor(answer, { what: `an answer to GET ${path}` })).body;
  }

  const hooks: RunningHooks = {
    url,
    service,
    async call(method, path, body) {
      const response = await fetch(url + path, {
        method,
        headers: { X_AUTH_HEADER: Buffer.from(await currentHash()).toString('base64') },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await checked(method, response);
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    },
    async webhook(uuid, request = {}) {
      const { method = 'POST', query = '', headers = {}, body } = request;
      const response = await fetch(`${url}/webhook/${uuid}${query === '' ? '' : `?${query}`}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: body as string }),
      });
      await checked(method, response);
      return response;
    },
    async task(uuid) {
      return (await read(`/task/${uuid}`)) as Task;
    },
    async tasks() {
      return (await read('/task')) as Task[];
    },
    async executions(uuid) {
      return ((await read(`/task/${uuid}/execution`)) as Task).executions ?? [];
    },
    async synchronized() {
      await waitFor(async () => !(await hooks.status()).State?.value.includes('not read yet'), {
        what: 'the hooks of the API to be read',
      });
    },
    async status() {
      const response = await fetch(`${url}/mon/status`);
      await checked('GET', response);
      const { lines } = (await response.json()) as {
        lines: { component: string; status: string; value: string }[];
      };
      return Object.fromEntries(
        lines.map(({ component, status, value }) => [component, { status, value }]),
      );
    },
  };
  return hooks;
}

/** Adds hooks as the API does. */
export async function post(hooks: RunningHooks, ...added: NodeHook[]): Promise<void> {
  const body = Object.fromEntries(added.map((hook) => [hook.uuid, hook]));
  const { status } = await hooks.call('POST', '/task/bulk', body);
  if (status !== 200) throw new Error(`POST /task/bulk answered ${status}`);
}

/** CDS's error body. */
export async function errorOf(response: Response): Promise<{ id: number; message: string }> {
  return (await response.json()) as { id: number; message: string };
}
