import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEYS } from '@cds/hooks-store/keys';
import { referenceHooks, type ReferenceHooks, startTestRedis, waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { Redis } from 'ioredis';
import {
  bundleEngine,
  type Engine,
  plainHook,
  pushDelivery,
  readyConfig,
  repositoryHook,
  type RunningHooks,
  signed,
  useTestContext,
} from './app-test-contexts';

const DAY_MS = 86_400_000;

const context = useTestContext();
let engine: Engine;
let reference: ReferenceHooks;
let file: string;

beforeAll(async () => {
  engine = bundleEngine();
  reference = referenceHooks(context.redisClient);
  file = join(engine.folder(), 'config.toml');
  writeFileSync(file, readyConfig({ redisPort: context.redis.port }));
});
afterAll(() => engine.remove());

interface Report {
  counts: Record<'task' | 'delivery' | 'cleanup', Record<string, number>>;
  rows: { kind: string; uuid: string; date: string; result: string }[];
  problems: { key: string; reason: string }[];
}

async function runImport(...args: string[]) {
  const command = ['hooks', 'import', '--json', '--config', file, ...args];
  const { code, out, err } = await engine.call(command);
  return { code, err, out, report: (out === '' ? undefined : JSON.parse(out)) as Report };
}

/** Nanoseconds, `ms` from now, with digits that no double can carry. */
const fromNow = (ms: number, digits = 718_419) => `${Date.now() + ms}${digits}`;

const configOf = (hook: NodeHook) => ({
  ...Object.fromEntries(Object.entries(hook.config).map(([name, { value }]) => [name, value])),
  webHookURL: `http://localhost:8083/webhook/${hook.uuid}`,
});

async function keep(hook: NodeHook, stopped = false): Promise<void> {
  const type = hook.hook_model_name === 'WebHook' ? 'Webhook' : 'RepoWebHook';
  await reference.task(type, hook.uuid, configOf(hook), stopped);
}

async function received(
  hook: NodeHook,
  timestamp: string,
  changes: Parameters<typeof pushDelivery>,
  state: { status?: string; nbErrors?: number; lastError?: string; processed?: string } = {},
): Promise<string> {
  const { headers = {}, body } = pushDelivery(...changes);
  const { 'X-Request-UUID': requestUuid = '', ...rest } = headers;
  await reference.execution({
    ...{ type: 'RepoWebHook', uuid: hook.uuid, timestamp, config: configOf(hook), ...state },
    // As Go writes the name.
    webhook: { headers: { ...rest, 'X-Request-Uuid': requestUuid }, body },
  });
  return requestUuid;
}

/** As Bitbucket sends: again, under the same X-Request-UUID, until it is taken. */
async function deliver(
  hooks: RunningHooks,
  hook: NodeHook,
  delivery: ReturnType<typeof pushDelivery>,
): Promise<void> {
  const request = signed(hook, delivery);
  await waitFor(async () => (await hooks.webhook(hook.uuid, request)).status === 200);
}

const branchesRun = () => context.api.runs().map(({ hook }) => hook.payload['git.branch']);

describe('engine hooks import', () => {
  it('takes over tasks, pending deliveries in their order and branch deletions, and leaves the reference alone', async () => {
    const hook = repositoryHook();
    const plain = plainHook();
    const off = repositoryHook({ workflow: 'wf3' });
    await keep(hook);
    await keep(plain);
    await keep(off, true);
    await reference.task('Kafka', 'a-topic', { project: 'PROJ', topic: 'builds' });
    await reference.task('OutgoingWebhook', 'an-outgoing', { project: 'PROJ' });
    await received(hook, fromNow(-50_000), [{ push: 'done-before' }], {
      ...{ status: 'DONE', processed: fromNow(-49_000) },
    });
    await received(hook, fromNow(-9_000), [{ push: 'third' }]);
    await received(hook, fromNow(-40_000), [{ push: 'failed' }], {
      ...{ status: 'DONE', nbErrors: 1, lastError: 'refused', processed: fromNow(-39_000) },
    });
    await received(hook, fromNow(-20_000), [{ push: 'under-way' }], {
      ...{ status: 'DOING', processed: fromNow(-19_000) },
    });
    await received(hook, fromNow(-30_000), [{ push: 'given-up' }], {
      ...{ status: 'DONE', nbErrors: 3, lastError: 'refused', processed: fromNow(-29_000) },
    });
    await reference.enqueue('RepoWebHook', hook.uuid, '1');
    await received(off, fromNow(-5_000), [{ push: 'while-stopped' }]);
    await reference.execution({
      ...{ type: 'Webhook', uuid: plain.uuid, timestamp: fromNow(-1_000), status: 'ENQUEUED' },
      config: configOf(plain),
      webhook: { headers: { 'Content-Type': 'application/json' }, body: '{"a":{"b":1}}' },
    });
    const due = fromNow(DAY_MS / 2);
    const of = { project: 'PROJ', workflow: 'wf1' };
    await reference.branchDeletion({ ...of, branch: 'feat/old', due }, '1');
    await reference.branchDeletion({ ...of, branch: 'back', due, stopped: true }, '2');
    await reference.branchDeletion({ ...of, branch: 'late', due: fromNow(-60_000) }, '3');
    const before = await reference.dump();

    const dry = engine.run(['hooks', 'import', '--dry-run', '--config', file]);
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining('nothing was written') });
    expect(dry.out).toMatch(/cleanup +BranchDeletion +PROJ\/wf1 +\S+Z +imported +feat\/old-1/);
    expect(await context.redisClient.keys('cdsbb:*')).toEqual([]);

    const { code, err, report } = await runImport();
    expect([code, report.problems]).toEqual([0, []]);
    expect(err).toContain('does nothing for them');
    expect(report.counts).toEqual({
      task: { imported: 3, 'imported, stopped there': 1, 'not taken over': 1 },
      cleanup: { imported: 2, 'called off there': 1 },
      delivery: {
        imported: 3,
        'imported for its runs alone, had failed': 1,
        'imported, was under way': 1,
      },
    });
    expect(await reference.dump()).toEqual(before);

    // The API is away: deliveries are taken all the same.
    context.api.hooks = [hook, plain, off];
    await context.api.stop();
    const hooks = await context.start();
    await deliver(hooks, hook, pushDelivery({ push: 'after-import' }));
    await context.api.start();
    await waitFor(() => context.api.runs().length === 5);
    const ofHook = context.api.runs().filter((run) => run.hook.uuid === hook.uuid);
    expect(ofHook.map((run) => run.hook.payload['git.branch'])).toEqual([
      'failed',
      'under-way',
      'third',
      'after-import',
    ]);
    expect(
      context.api.runs().find((run) => run.hook.uuid === plain.uuid)?.hook.payload,
    ).toMatchObject({ 'a.b': '1' });

    await waitFor(() => context.api.deletions().length === 1, { what: 'the overdue cleanup' });
    expect(context.api.deletions()[0]).toContain('late');
    const pending = (await hooks.tasks()).filter(({ type }) => type === 'BranchDeletion');
    expect(pending).toHaveLength(1);
    expect(pending[0]?.config?.branch?.value).toBe('feat/old');
    const shown = pending[0]?.executions?.[0]?.scheduled_task?.date_scheduled_execution ?? '';
    expect(Date.parse(shown)).toBe(Number(due.slice(0, 13)) + 1);
    expect((await hooks.tasks()).find(({ uuid }) => uuid === off.uuid)).toMatchObject({
      ...{ stopped: true, nb_executions_todo: 1 },
    });
    expect(branchesRun()).not.toContain('while-stopped');

    expect((await hooks.call('GET', `/task/${off.uuid}/start`)).status).toBeLessThan(300);
    await waitFor(() => branchesRun().includes('while-stopped'));
    expect(context.api.violations).toEqual([]);

    const again = await runImport();
    expect(again.report.counts).toEqual({
      task: {
        'imported before': 3,
        'imported before, stopped there': 1,
        'not taken over': 1,
      },
      cleanup: { 'imported before': 3 },
      delivery: { 'imported before': 5 },
    });
    // The run is asked for before its delivery is finished.
    await waitFor(async () => (await context.redisClient.get(KEYS.waitingTotal)) === '0');
  });

  it('brings nothing back that was called off, deleted or pushed again since', async () => {
    const hook = repositoryHook();
    const gone = repositoryHook({ workflow: 'wf4' });
    await keep(hook);
    await keep(gone);
    const of = { project: 'PROJ', workflow: 'wf1', due: fromNow(DAY_MS / 2) };
    await reference.branchDeletion({ ...of, branch: 'pushed-again' }, '1');
    await reference.branchDeletion({ ...of, branch: 'by-hand' }, '2');
    expect((await runImport()).report.counts.cleanup).toEqual({ imported: 2 });

    context.api.hooks = [hook, gone];
    const hooks = await context.start();
    await deliver(hooks, hook, pushDelivery({ push: 'pushed-again' }));
    await waitFor(() => context.api.runs().length === 1);
    const [left] = (await hooks.tasks()).filter(({ type }) => type === 'BranchDeletion');
    expect(left?.config?.branch?.value).toBe('by-hand');
    await hooks.call('DELETE', `/task/${left?.uuid}`);
    // The API lists it no more by then: a synchronization would bring it back.
    context.api.hooks = [hook];
    await hooks.call('DELETE', `/task/${gone.uuid}`);

    // Scheduled by the reference before that push, and not seen until now.
    await reference.branchDeletion({ ...of, branch: 'pushed-again' }, '3');
    // Of a delivery that was late, the runs alone are asked for: the branch may be there again.
    const requestUuid = await received(hook, fromNow(-3_600_000), [
      { deleted: 'late-deletion' },
      { push: 'late-push' },
    ]);
    // Bitbucket sent this one again, to the new service.
    const twice = pushDelivery({ push: 'twice' });
    await deliver(hooks, hook, twice);
    await reference.execution({
      ...{ type: 'RepoWebHook', uuid: hook.uuid, timestamp: fromNow(-2_000) },
      webhook: {
        headers: {
          'X-Event-Key': 'repo:push',
          'X-Request-Uuid': twice.headers?.['X-Request-UUID'] ?? '',
        },
        body: twice.body,
      },
    });

    const { report } = await runImport();
    expect(requestUuid).not.toBe('');
    expect(report.counts).toEqual({
      task: { 'imported before': 2 },
      cleanup: { 'imported before': 2, 'branch is back': 1 },
      delivery: { 'imported for its runs alone': 1, 'came in again since': 1 },
    });
    await waitFor(() => branchesRun().includes('late-push'));
    await waitFor(async () => (await context.redisClient.get(KEYS.waitingTotal)) === '0');
    expect(branchesRun()).toEqual(['pushed-again', 'twice', 'late-push']);
    expect((await hooks.tasks()).map(({ uuid }) => uuid)).toEqual([hook.uuid]);
  });

  it('reads from another Redis with a password, names what it cannot read without its values, and imports the rest', async () => {
    const other = await startTestRedis({ args: ['--requirepass', 's3cret'] });
    const client = new Redis(other.url);
    try {
      const elsewhere = referenceHooks(client);
      const hook = repositoryHook();
      await elsewhere.task('RepoWebHook', hook.uuid, configOf(hook));
      await elsewhere.setAdd('hooks:tasks', 'broken', '{"uuid":"broken","config":{"password":7}}');
      await elsewhere.setAdd('hooks:tasks', 'no-json', 'hunter2');
      await client.zadd('hooks:tasks', 1, 'empty');
      const set = `hooks:tasks:executions:RepoWebHook:${hook.uuid}`;
      await elsewhere.setAdd(set, '1795343707599718419', '{"webhook":{"request_body":"hunter2!"}}');
      await elsewhere.setAdd(set, 'not-a-time', '{}');
      const due = fromNow(DAY_MS);
      await elsewhere.branchDeletion({ project: 'X', workflow: 'gone', branch: 'b', due }, '1');
      const before = await elsewhere.dump('*');
      const env = { CDS_IMPORT_REDIS_PASSWORD: 's3cret' };
      const from = `redis://default@${other.host}:${other.port}/0`;
      const args = ['hooks', 'import', '--config', file, '--from', from];

      const { code, out, err } = engine.run(args, env);

      expect(code).toBe(1);
      expect(out).toContain('Tasks: 1 imported.');
      const lines = err.split('\n').filter((line) => line.startsWith('Not imported'));
      expect(lines.sort()).toEqual(
        [
          'Not imported: hooks:tasks:b-1: the runs of its branch are not removed: no repository webhook of X/gone is known, so that no push could call it off.',
          'Not imported: hooks:tasks:broken: not as CDS writes it: type, config.password.',
          'Not imported: hooks:tasks:empty: there is nothing under its key.',
          `Not imported: ${set}:1795343707599718419: not as CDS writes it: uuid, type, webhook.request_body.`,
          `Not imported: ${set}:not-a-time: its key does not end in a timestamp.`,
          'Not imported: hooks:tasks:no-json: it is no JSON.',
        ].sort(),
      );
      expect(out + err).not.toContain('hunter2');
      expect(await elsewhere.dump('*')).toEqual(before);
      expect(await context.redisClient.smembers(KEYS.tasks)).toEqual([hook.uuid]);

      expect((await engine.call(args)).err).toMatch(/cannot be asked .*CDS_IMPORT_REDIS_PASSWORD/);
    } finally {
      client.disconnect();
      await other.stop();
    }
  });

  it('takes a pending cleanup off when a pending push of the same import brings its branch back', async () => {
    const hook = repositoryHook();
    await keep(hook);
    const of = { project: 'PROJ', workflow: 'wf1', due: fromNow(DAY_MS / 2) };
    await reference.branchDeletion({ ...of, branch: 'waiting' }, '1');
    await received(hook, fromNow(-2_000), [{ push: 'waiting' }]);
    // What the reference's own look for tasks to stop missed.
    await reference.branchDeletion({ ...of, branch: 'missed' }, '2');
    await received(hook, fromNow(-3_000), [{ push: 'missed' }], {
      ...{ status: 'DONE', processed: fromNow(-2_500) },
    });

    expect((await runImport()).report.counts.cleanup).toEqual({ imported: 1, 'branch is back': 1 });
    context.api.hooks = [hook];
    const hooks = await context.start();
    await waitFor(() => branchesRun().includes('waiting'));
    await waitFor(async () => (await hooks.tasks()).length === 1);
  });

  it('says where to look when there is nothing to import, and what --from takes', async () => {
    const nothing = "there is nothing of CDS's own hooks in that Redis";
    expect(await runImport()).toMatchObject({ code: 1, err: expect.stringContaining(nothing) });
    await context.redisClient.set('hooks:tasks', 'of another program');
    expect(await runImport()).toMatchObject({ code: 1, err: expect.stringContaining(nothing) });
    const { code, err } = await runImport('--from', 'redis://:hunter2@127.0.0.1');
    expect([code, err]).toEqual([2, expect.stringContaining('CDS_IMPORT_REDIS_PASSWORD')]);
    expect(err).not.toContain('hunter2');
  });
});
