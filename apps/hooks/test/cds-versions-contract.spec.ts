import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeShared, waitFor } from '@cds/testing';
import type { NodeHook, Task } from '@cds/wire';
import { namesEvents } from '../src/modules/repository-webhook/names-events';
import { planDelivery } from '../src/hook-modules';
import { planPush } from '../src/modules/repository-webhook/plan-push';
import { pushDelivery } from './pushes';
import type { RunningHooks } from './running-hooks';
import { useTestContext } from './test-context';
import { runsOf } from './planned-runs';

interface Exchange {
  from: string;
  request: { method: string; url: string; headers: Record<string, string>; body: unknown };
  response: { status: number; body: unknown };
}

interface RunOfHook {
  hook: { uuid: string; payload: Record<string, string> };
}

describe('the payload of a push', () => {
  it.each([
    ['0.41.0', 'shared-infra', false],
    ['', 'shared-infra', false],
    ['0.42.0', 'shared-infra', true],
    ['0.57.0', 'e30.e30.c2ln', true],
    ['', 'e30.e30.c2ln', true],
  ])('of CDS "%s" with %s: the whole event is %s', (version, token, expected) => {
    expect(namesEvents({ version, token })).toBe(expected);
  });

  it('holds the whole delivery as it came, and the name of the event', () => {
    const delivery = JSON.parse(String(pushDelivery({ push: 'main' }).body)) as { push: object };
    const body = JSON.stringify(delivery, undefined, 1);
    const [run] = runsOf(planPush(body, {}, 'repo:push'));
    expect(run?.payload).toMatchObject({ payload: body, 'git.hook': 'repo:push' });
    const [before] = runsOf(planPush(body));
    expect(before?.payload).not.toHaveProperty('git.hook');
    expect(JSON.parse(before?.payload.payload ?? '')).toEqual(delivery.push);
  });
});

const OF_THE_CONNECTION = new Set(['host', 'content-length', 'authorization', 'transfer-encoding']);

/** The object without what only we add, and what CDS's own fills in or leaves out of an event. */
function partOf(recorded: unknown, ours: unknown): unknown {
  if (typeof recorded !== 'object' || recorded === null) return ours;
  if (typeof ours !== 'object' || ours === null) return ours;
  return Object.fromEntries(
    Object.keys(recorded).map((key) => [key, (ours as Record<string, unknown>)[key]]),
  );
}

describeShared('the recorded calls of current versions', (root) => {
  const context = useTestContext();
  let hooks: RunningHooks;

  const read = (cds: string, file: string) =>
    JSON.parse(readFileSync(join(root, 'contract', `cds-${cds}`, file), 'utf8')) as Exchange[];

  it.each(['0.57', '0.51'])('of CDS %s are answered as CDS’s own does', async (cds) => {
    hooks = await context.start();
    await hooks.tasks(); // Registered.
    const calls = read(cds, 'api-to-hooks.json').filter(({ request }) =>
      /^\/(task|webhook)/.test(request.url),
    );
    expect(calls.length).toBeGreaterThan(1);
    let deliveries = 0;
    for (const { from, request, response } of calls) {
      // A delivery needs its event; the signature of the API is verified elsewhere.
      const headers = Object.fromEntries(
        Object.entries(request.headers).filter(([name]) => !OF_THE_CONNECTION.has(name)),
      );
      if (from === 'cds-api')
        headers.x_auth_header = Buffer.from(context.api.hash()).toString('base64');
      const body = request.body === null ? null : JSON.stringify(request.body);
      const answer = await fetch(hooks.url + request.url, {
        method: request.method,
        headers,
        body,
      });
      const text = await answer.text();
      expect([request.url, answer.status, text]).toEqual([
        request.url,
        response.status,
        expect.any(String),
      ]);
      if (from === 'bitbucket') deliveries++;
      const uuid = /^\/webhook\/([\w-]+)/.exec(request.url)?.[1];
      if (uuid)
        await waitFor(async () =>
          (await hooks.executions(uuid)).every(({ status }) => status === 'DONE'),
        );
      const ours: unknown = text === '' ? null : JSON.parse(text);
      if (request.method === 'POST' && request.url === '/task/bulk') {
        const hooksOf = response.body as Record<string, NodeHook>;
        for (const [id, recorded] of Object.entries(hooksOf)) {
          const { config, ...hook } = (ours as Record<string, NodeHook>)[id] ?? {};
          const { webHookURL, ...others } = recorded.config ?? {};
          expect(partOf(recorded, { ...hook, config: recorded.config })).toEqual(recorded);
          expect(partOf(others, config)).toEqual(others);
          if (webHookURL) expect(config?.webHookURL?.value).toMatch(new RegExp(`/webhook/${id}$`));
        }
      } else if (request.url === '/task') {
        for (const recorded of response.body as Task[]) {
          const same = (ours as Task[]).find((task) => task.uuid === recorded.uuid);
          const { type, stopped, nb_executions_total, nb_executions_todo } = recorded;
          expect(same).toMatchObject({ type, stopped, nb_executions_todo });
          if (type === 'RepoWebHook') expect(same).toMatchObject({ nb_executions_total });
        }
      } else if (/\/execution$/.test(request.url)) {
        const recorded = response.body as Task;
        expect(ours).toMatchObject({ uuid: recorded.uuid, type: recorded.type });
        expect((ours as Task).executions).toHaveLength(recorded.executions?.length ?? 0);
      }
    }
    expect(deliveries).toBeGreaterThan(0);
    expect(context.api.violations).toEqual([]);
  });

  it.each(['0.57', '0.51'])('of CDS %s lead to the runs that CDS’s own asks for', (cds) => {
    const runs = read(cds, 'services-to-api.json')
      .filter(({ request }) => request.method === 'POST' && /^\/project.*\/runs$/.test(request.url))
      .map(({ request }) => request.body as RunOfHook);
    const planned = read(cds, 'api-to-hooks.json')
      .filter(({ from, request }) => from === 'bitbucket' && /^\/webhook/.test(request.url))
      .flatMap(({ request, response }) => {
        const { type, uuid, config, webhook } = response.body as Task & {
          webhook: { request_header: Record<string, string[]> };
        };
        const plan = planDelivery({
          type,
          execution: { type, uuid, config, webhook } as never,
          body: Buffer.from(JSON.stringify(request.body)),
          namesEvents: true,
        });
        return runsOf(plan).map(({ payload }) => ({ uuid, payload }));
      });
    // Hooks do not wait for each other.
    planned.sort((a, b) => a.uuid.localeCompare(b.uuid));
    runs.sort((a, b) => a.hook.uuid.localeCompare(b.hook.uuid));
    expect(planned.map(({ uuid }) => uuid)).toEqual(runs.map(({ hook }) => hook.uuid));
    for (const [index, { hook }] of runs.entries()) {
      const { payload: text = '', ...recorded } = hook.payload;
      const { payload: ourText = '', ...ours } = planned[index]?.payload ?? {};
      // Bitbucket sends no user name any more: ours is the nickname.
      const name = { 'cds.triggered_by.username': ours['cds.triggered_by.username'] };
      expect(partOf(recorded, ours)).toEqual(
        recorded['cds.triggered_by.username'] === '' ? { ...recorded, ...name } : recorded,
      );
      const keys = Object.keys(JSON.parse(text) as object);
      expect(Object.keys(JSON.parse(ourText) as object)).toEqual(expect.arrayContaining(keys));
    }
  });
});
