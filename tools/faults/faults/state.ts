import { freePort, waitFor } from '@cds/testing';
import { KEYS } from '@cds/hooks-store/keys';
import { startCdsApi } from '@cds/stand-ins/cds-api';
import { hooksOfFormat } from '../stage/bundles';
import type { Replica } from '../stage/replica';
import { statusOf } from '../stage/replica-status';
import type { Stage } from '../stage/stage';
import { mustBe, nothingUnderWay, workOn, type Fault } from './fault';

async function mustSay(replica: Replica, status: string, words: string): Promise<void> {
  await waitFor(
    async () => {
      const line = await statusOf(replica, 'State');
      return line?.status === status && line.value.includes(words);
    },
    { what: `${replica.name} to say at ${status} of the state: ${words}` },
  );
}

/** Each hook takes a delivery, sent again until then, at this replica or at any. */
async function takenByEach(stage: Stage, to?: Replica): Promise<void> {
  for (const hook of stage.webhooks) {
    const delivery = stage.sender.prepare(hook, ['+taken']);
    await waitFor(async () => (await stage.send(delivery, to)).status === 200, {
      what: 'a delivery to be taken',
    });
  }
}

async function refusedByEach(stage: Stage, to: Replica): Promise<void> {
  for (const hook of stage.webhooks) {
    const { status } = await stage.send(stage.sender.prepare(hook, ['+refused']), to);
    mustBe(status === 503, `A delivery to ${to.name} was answered ${String(status)}.`);
  }
}

/** Resolves when so many looks of replicas at whose the state is have ended since now. */
async function looks(stage: Stage, count: number): Promise<void> {
  const read = async () => {
    const mark = await stage.redis.ask((redis) => redis.hgetall(KEYS.mark));
    return Object.entries(mark).find(([field]) => field.startsWith('owner:'))?.[1];
  };
  let last = await read();
  for (let seen = 0; seen < count; seen += 1) {
    const before = last;
    await waitFor(async () => (last = await read()) !== before, { what: 'a look at the state' });
  }
}

const tasksIn = (stage: Stage) => stage.redis.ask((redis) => redis.scard(KEYS.tasks));

async function startSecondCds(
  stage: Stage,
  hooks: number,
): Promise<{ env: Record<string, string>; asked(): number }> {
  const api = await startCdsApi({
    ...{ port: await freePort(), sharedInfraToken: 'the token of the second CDS' },
  });
  stage.onClose(api.close);
  const env = { CDS_HOOKS_API_TOKEN: api.sharedInfraToken, CDS_HOOKS_API_HTTP_URL: api.url };
  // It has hooks of its own, from when it had a part of Redis of its own.
  const own = await stage.addHooks('second-at-home', {
    ...env,
    CDS_HOOKS_CACHE_REDIS_KEYPREFIX: 'second:',
  });
  await own.start();
  await waitFor(() => api.services().length === 1, { what: 'the second CDS to have its hooks' });
  for (let number = 1; number <= hooks; number += 1)
    await waitFor(
      () =>
        api.workflows
          .createSchedulerWorkflow({
            ...{ project: 'SHOP', name: `workflow-${number}`, cron: '0 0 29 2 *' },
          })
          .then(() => true),
      { what: 'a workflow of the second CDS' },
    );
  await own.stop();
  return { env, asked: () => api.runs('SHOP', 'workflow-1').length + api.removals().length };
}

export const STATE: Fault[] = [
  {
    name: 'second-cds',
    what: '`hooks` of a second CDS starts on the Redis and prefix of the first',
    checks: 'it says AL and 503; the first loses nothing',
    stage: { cleanupDelaySeconds: 2 },
    seconds: 15,
    async play(stage) {
      const second = await startSecondCds(stage, 2);
      const stranger = await stage.addHooks('second', second.env);
      const before = await tasksIn(stage);
      const load = stage.load();
      await load.accepted(10);
      for (const change of ['+gone', '-gone'])
        for (const hook of stage.webhooks) await stage.push(hook, change);
      stage.faultBegins();
      for (let starts = 0; starts < 2; starts += 1) {
        await stranger.start();
        await mustSay(stranger, 'AL', 'another CDS');
        await refusedByEach(stage, stranger);
        if (starts === 0) await stranger.kill();
      }
      await waitFor(() => stage.gate.removals.length >= stage.webhooks.length, {
        what: 'the cleanups of the first',
      });
      await mustSay(stranger, 'AL', 'another CDS');
      stage.faultEnds();
      mustBe((await tasksIn(stage)) === before, 'A task of the first CDS is gone.');
      mustBe(second.asked() === 0, 'The second API was asked for the work of the first.');
      await workOn(load);
    },
  },
  {
    name: 'redis-emptied',
    what: 'Redis is emptied (FLUSHALL) while deliveries wait, and again while all are down',
    checks: '503 until the API’s hooks are read; lost deliveries are counted',
    stage: { replicas: 2 },
    seconds: 20,
    async play(stage) {
      const { gate, history } = stage;
      await nothingUnderWay(stage);
      const total = history.deliveries.length;
      await gate.away();
      await takenByEach(stage);
      await takenByEach(stage);
      const waiting = history.deliveries.slice(total).filter(({ status }) => status === 200).length;
      // Until both have seen what waits.
      await looks(stage, 4);
      stage.faultBegins();
      history.emptied = [await empty(stage)];
      for (const replica of stage.replicas) await refusedByEach(stage, replica);
      for (const replica of stage.replicas)
        await waitFor(
          async () => (await statusOf(replica, 'Deliveries Lost'))?.value === String(waiting),
          { what: `${replica.name} to count ${waiting} deliveries as lost` },
        );
      await gate.back();
      for (const replica of stage.replicas) await takenByEach(stage, replica);
      await drained(stage);
      for (const replica of stage.replicas) await stage.kill(replica);
      history.emptied.push(await empty(stage));
      await gate.away();
      for (const replica of stage.replicas) await replica.start();
      for (const replica of stage.replicas) await refusedByEach(stage, replica);
      await gate.back();
      for (const replica of stage.replicas) await takenByEach(stage, replica);
      stage.faultEnds();
      await workOn(stage.load());
      mustBe(
        (await tasksIn(stage)) === stage.webhooks.length,
        'Redis does not hold the hooks of the API.',
      );
    },
  },
  {
    name: 'newer-format',
    what: 'a newer version moves the state to another format, beside an older replica',
    checks: 'the older says AL and 503; the newer goes on',
    doubles: { most: 3, because: 'one a hook' },
    stage: { replicas: 2 },
    seconds: 15,
    async play(stage) {
      const [old, first] = stage.replicas;
      if (!old || !first) throw new Error('There are two replicas');
      const newer = await stage.addHooks('hooks-newer', {}, hooksOfFormat('2', stage.folder));
      const load = stage.load();
      await load.accepted(10);
      await stage.gate.away();
      await load.accepted(10);
      stage.faultBegins();
      stage.route(first, false);
      await first.stop();
      await stage.redis.ask((redis) => redis.hset(KEYS.mark, 'format', '2'));
      await newer.start();
      await mustSay(newer, 'OK', 'in line');
      stage.route(newer, true);
      await mustSay(old, 'AL', 'another version');
      await refusedByEach(stage, old);
      await stage.gate.back();
      await takenByEach(stage, newer);
      await old.stop();
      await old.start();
      await mustSay(old, 'AL', 'another version');
      await refusedByEach(stage, old);
      stage.route(old, false);
      stage.faultEnds();
      await workOn(load);
      const format = await stage.redis.ask((redis) => redis.hget(KEYS.mark, 'format'));
      mustBe(format === '2', `The format of the state is ${String(format)}.`);
    },
  },
];

/** @returns when */
async function empty(stage: Stage): Promise<number> {
  await stage.redis.ask((redis) => redis.flushall());
  return Date.now();
}

/** Resolves when nothing waits any more: no run is repeated after a kill. */
async function drained(stage: Stage): Promise<void> {
  await waitFor(
    async () => (await stage.redis.ask((redis) => redis.get(KEYS.waitingTotal))) === '0',
    { what: 'all to be worked off' },
  );
}
