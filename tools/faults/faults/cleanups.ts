import { setTimeout as sleep } from 'node:timers/promises';
import { KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import { BEGIN_DUE_CLEANUPS, FINISH_CLEANUP } from '../hooks-internals';
import type { Webhook } from '../stage/sender';
import type { Stage } from '../stage/stage';
import { mustBe, nothingUnderWay, workOn, type Fault } from './fault';

async function pushAll(stage: Stage, ...changes: string[]): Promise<void> {
  for (const hook of stage.webhooks)
    for (const change of changes) {
      const { status } = await stage.push(hook, change);
      mustBe(status === 200, `${change} was answered ${String(status)}.`);
    }
}

function isRemoved(stage: Stage, hook: Webhook, branch: string): boolean {
  return stage.gate.removals.some(
    (removal) =>
      removal.hook === hook.uuid && removal.branch === branch && removal.servedAt !== undefined,
  );
}

async function mustRemove(stage: Stage, branches: string[]): Promise<void> {
  await waitFor(
    () => stage.webhooks.every((hook) => branches.every((name) => isRemoved(stage, hook, name))),
    { what: `the cleanups of ${branches.join(', ')}` },
  );
}

const KILLED_AT = [
  { script: BEGIN_DUE_CLEANUPS, when: 'after' },
  { script: FINISH_CLEANUP, when: 'before' },
  { script: FINISH_CLEANUP, when: 'after' },
] as const;

export const CLEANUPS: Fault[] = [
  {
    name: 'all-down-when-due',
    what: 'cleanups are due while `hooks`, Redis and the API are down',
    checks: 'each is done once, whatever comes back first',
    stage: { cleanupDelaySeconds: 4 },
    seconds: 20,
    async play(stage) {
      await pushAll(stage, '+dev', '+other', '-dev');
      await stage.worked();
      const deleted = Date.now();
      await sleep(stage.random.between(300, 800));
      stage.faultBegins();
      await stage.kill(stage.hooks);
      await stage.redis.kill();
      await stage.gate.away();
      await sleep(Math.max(0, deleted + 5_000 - Date.now()));
      const back = [stage.redis.start, stage.gate.back, () => stage.hooks.start()];
      for (const start of stage.random.shuffled(back)) {
        await start();
        await sleep(stage.random.between(0, 500));
      }
      stage.faultEnds();
      await mustRemove(stage, ['dev']);
      await workOn(stage.load());
      await sleep(2_000);
    },
  },
  {
    name: 'killed-among-cleanups',
    what: '`hooks` is killed three times among cleanups: after their lock, around storing their end',
    checks: 'each is done',
    stage: { cleanupDelaySeconds: 10, redisProxy: true },
    seconds: 60,
    async play(stage) {
      const names = Array.from({ length: 12 }, (_, index) => `b${index}`);
      for (const hook of stage.webhooks) {
        await stage.push(hook, ...names.map((name) => `+${name}`));
        await stage.push(hook, ...names.map((name) => `-${name}`));
      }
      await waitFor(
        async () =>
          (await stage.redis.ask((redis) => redis.zcard(KEYS.cleanups))) ===
          names.length * stage.webhooks.length,
        { what: 'all cleanups to be scheduled' },
      );
      await nothingUnderWay(stage);
      await stage.kill(stage.hooks);
      await sleep(10_000);
      stage.faultBegins();
      for (const point of KILLED_AT) {
        const reached = stage.proxy.reached(point);
        await stage.hooks.start();
        await reached;
        await stage.kill(stage.hooks);
      }
      await stage.hooks.start();
      stage.faultEnds();
      await mustRemove(stage, names);
      await workOn(stage.load());
    },
  },
  {
    name: 'slow-removal',
    what: 'the API takes 12 s for a removal; branches come back, a replica is killed',
    checks: 'a push waits for the removal; its run stays',
    stage: { hooks: 4, replicas: 2, cleanupDelaySeconds: 2 },
    doubles: { most: 4, because: 'one a hook' },
    seconds: 40,
    async play(stage) {
      await pushAll(stage, '+dev');
      await stage.worked();
      const slow = new Set<string>();
      stage.gate.judge(({ kind, hook }) => {
        if (kind !== 'removal' || slow.has(hook)) return { kind: 'pass' };
        slow.add(hook);
        return { kind: 'slow', ms: 12_000 };
      });
      await pushAll(stage, '-dev');
      stage.faultBegins();
      await waitFor(() => slow.size === stage.webhooks.length, { what: 'the removals' });
      await sleep(stage.random.between(0, 1_000));
      const killed = stage.random.pick(stage.replicas);
      await stage.kill(killed);
      stage.route(killed, false);
      await pushAll(stage, '+dev');
      stage.faultEnds();
      await stage.worked();
      for (const hook of stage.webhooks)
        mustBe(isRemoved(stage, hook, 'dev'), 'The runs of a branch were never removed.');
      await workOn(stage.load());
    },
  },
  {
    name: 'branch-is-back',
    what: 'branches go, come back and go while the API is away and `hooks` and Redis are killed',
    checks: 'runs stay where a push came or waits; the others go',
    stage: { cleanupDelaySeconds: 4 },
    doubles: { most: 3, because: 'one a hook' },
    seconds: 30,
    async play(stage) {
      await pushAll(stage, '+back', '+twice', '+gone', '+later');
      await pushAll(stage, '-back', '-twice', '-gone', '-later');
      await stage.worked();
      await sleep(300);
      stage.faultBegins();
      await stage.gate.away();
      // What is at the head of the list is looked at once; the others only wait.
      await pushAll(stage, '+head', '+back', '+twice');
      const kills = [
        async () => {
          await stage.kill(stage.hooks);
          await stage.hooks.start();
        },
        async () => {
          await stage.redis.kill();
          await stage.redis.start();
        },
      ];
      for (const kill of stage.random.shuffled(kills)) await kill();
      await waitFor(
        async () => (await stage.push(stage.webhooks[0] as Webhook, '+x')).status === 200,
        {
          what: 'deliveries to be accepted again',
        },
      );
      await pushAll(stage, '-twice');
      await sleep(5_000);
      await stage.gate.back();
      stage.faultEnds();
      await mustRemove(stage, ['twice', 'gone', 'later']);
      await pushAll(stage, '+later');
      await workOn(stage.load());
      await sleep(1_000);
      for (const hook of stage.webhooks)
        mustBe(!isRemoved(stage, hook, 'back'), 'The runs of a branch that is back were removed.');
    },
  },
  {
    name: 'branches-at-random',
    what: 'branches come and go at random while `hooks`, Redis and the API fail at random',
    stage: { cleanupDelaySeconds: 2 },
    doubles: { most: 12, because: 'one a hook at each kill' },
    seconds: 35,
    async play(stage) {
      let on = true;
      const pushers = stage.webhooks.map(async (hook, index) => {
        const random = stage.random.fork(`pusher ${index}`);
        while (on) {
          const names = random.shuffled(['a', 'b', 'c/d', 'e']).slice(0, random.between(1, 2));
          await stage.push(hook, ...names.map((name) => random.pick(['+', '-']) + name));
          await sleep(random.between(50, 900));
        }
      });
      stage.faultBegins();
      for (let faults = 0; faults < 4; faults += 1) {
        await sleep(stage.random.between(500, 1_500));
        const kind = stage.random.pick(['hooks', 'redis', 'api'] as const);
        if (kind === 'hooks') {
          await stage.kill(stage.hooks);
          await sleep(stage.random.between(0, 1_000));
          await stage.hooks.start();
        } else if (kind === 'redis') {
          await stage.redis.kill();
          await sleep(stage.random.between(0, 1_000));
          await stage.redis.start();
        } else {
          await stage.gate.away();
          await sleep(stage.random.between(500, 3_000));
          await stage.gate.back();
        }
      }
      stage.faultEnds();
      await sleep(2_000);
      on = false;
      await Promise.all(pushers);
      await stage.worked();
      await sleep(3_000);
    },
  },
];
