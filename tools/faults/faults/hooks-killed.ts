import { setTimeout as sleep } from 'node:timers/promises';
import { ACCEPT_DELIVERY, FINISH_EXECUTION, pushedHashIn } from '../hooks-internals';
import type { Stage } from '../stage/stage';
import { mustBe, workOn, type Fault } from './fault';

const IN_FLIGHT = { most: 3, because: 'one a hook' };

/** A supervisor takes a moment to start a service again. */
async function startAgain(stage: Stage): Promise<void> {
  await sleep(stage.random.between(100, 800));
  await stage.hooks.start();
}

/**
 * SIGKILL when `hooks` comes to a script, under load; then it is started again. Returns the
 * script's words.
 */
async function killAt(stage: Stage, script: string, when: 'before' | 'after'): Promise<string[]> {
  const load = stage.load();
  await load.accepted(stage.random.between(10, 30));
  stage.faultBegins();
  const words = await stage.proxy.reached({ script, when });
  await stage.kill(stage.hooks);
  stage.faultEnds();
  await startAgain(stage);
  await workOn(load);
  return words;
}

/**
 * Kills at the script that takes the API's yes down. Returns how often the run of that yes has come
 * by the end.
 */
async function killAtFinish(stage: Stage, when: 'before' | 'after'): Promise<() => number> {
  const words = await killAt(stage, FINISH_EXECUTION, when);
  const hook = stage.webhooks.find(({ uuid }) => words.includes(uuid));
  if (!hook) throw new Error('The kill point names no hook');
  const killedAt = stage.history.kills.at(-1) ?? 0;
  const runs = stage.gate.runs.filter((run) => run.hook === hook.uuid);
  const hash = runs.findLast(({ servedAt = Infinity }) => servedAt <= killedAt)?.hash ?? '';
  await stage.worked(hook);
  return () => runsWith(stage, hash);
}

function runsWith(stage: Stage, hash: string): number {
  return stage.gate.runs.filter((run) => run.hash === hash && run.servedAt !== undefined).length;
}

export const HOOKS_KILLED: Fault[] = [
  {
    name: 'killed-before-enqueue',
    what: '`hooks` is killed between reading a delivery and storing it',
    checks: 'that delivery has no answer and no run',
    doubles: IN_FLIGHT,
    stage: { redisProxy: true },
    seconds: 15,
    async play(stage) {
      const hash = pushedHashIn(await killAt(stage, ACCEPT_DELIVERY, 'before'));
      await stage.worked();
      mustBe(runsWith(stage, hash) === 0, `The delivery of ${hash} was never kept, and has a run.`);
    },
  },
  {
    name: 'killed-before-answer',
    what: '`hooks` is killed between storing a delivery and answering it',
    checks: 'that delivery has one run',
    doubles: IN_FLIGHT,
    stage: { redisProxy: true },
    seconds: 15,
    async play(stage) {
      const hash = pushedHashIn(await killAt(stage, ACCEPT_DELIVERY, 'after'));
      await stage.worked();
      const runs = runsWith(stage, hash);
      mustBe(
        runs === 1,
        `The delivery of ${hash} was kept, and its run was started ${runs} times.`,
      );
    },
  },
  {
    name: 'killed-while-asking',
    what: '`hooks` is killed while asking for two runs, of which one reaches the API',
    checks: 'both hooks go on with that run',
    doubles: IN_FLIGHT,
    seconds: 25,
    async play(stage) {
      const load = stage.load();
      await load.accepted(stage.random.between(10, 30));
      stage.faultBegins();
      const [first, second] = stage.random.shuffled(stage.webhooks);
      const hit: string[] = [];
      await new Promise<void>((bothHit) => {
        const killed = new Promise<void>((resolve) => {
          stage.gate.judge(async ({ hook, name }) => {
            const isFirst = hook === first?.uuid;
            if (!isFirst && hook !== second?.uuid) return { kind: 'pass' };
            if (hit.push(name) === 2) void stage.kill(stage.hooks).then(resolve);
            if (isFirst) return { kind: 'swallow' };
            await killed;
            return { kind: 'pass' };
          });
        });
        void killed.then(bothHit);
      });
      stage.gate.judge();
      stage.faultEnds();
      await startAgain(stage);
      await workOn(load);
      await stage.worked();
      for (const hash of hit) mustBe(runsWith(stage, hash) > 0, `The run ${hash} was forgotten.`);
    },
  },
  {
    name: 'killed-after-yes',
    what: '`hooks` is killed between the API’s answer and storing it',
    checks: 'that run comes twice',
    doubles: IN_FLIGHT,
    stage: { redisProxy: true },
    seconds: 20,
    async play(stage) {
      const runs = (await killAtFinish(stage, 'before'))();
      mustBe(runs === 2, `The run that was hit was started ${runs} times.`);
    },
  },
  {
    name: 'killed-after-yes-was-kept',
    what: '`hooks` is killed after storing the API’s answer',
    checks: 'that run comes once',
    doubles: { most: 2, because: 'one for each other hook' },
    stage: { redisProxy: true },
    seconds: 20,
    async play(stage) {
      const runs = (await killAtFinish(stage, 'after'))();
      mustBe(runs === 1, `The run that was hit was started ${runs} times.`);
    },
  },
  {
    name: 'killed-five-times',
    what: '`hooks` is killed five times while asking for the same run',
    checks: 'the sixth try starts it; later deliveries wait for it',
    doubles: { most: 10, because: 'one for each other hook at each kill' },
    seconds: 75,
    async play(stage) {
      const load = stage.load({ pauseMs: [300, 800] });
      await load.accepted(5);
      stage.faultBegins();
      const [victim] = stage.random.shuffled(stage.webhooks);
      let hash: string | undefined;
      for (let kills = 0; kills < 5; kills += 1) {
        await new Promise<void>((killed) => {
          stage.gate.judge(({ hook, name }) => {
            if (hook !== victim?.uuid) return { kind: 'pass' };
            hash ??= name;
            mustBe(name === hash, `${name} was asked for before ${String(hash)} was done.`);
            void stage.kill(stage.hooks).then(killed);
            return { kind: 'swallow' };
          });
        });
        if (kills < 4) await startAgain(stage);
      }
      stage.gate.judge();
      stage.faultEnds();
      await startAgain(stage);
      await workOn(load);
      await stage.worked();
      mustBe(runsWith(stage, hash ?? '') === 1, `The run ${String(hash)} was not started once.`);
    },
  },
];
