import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from '../stage/stage';
import { mustBe, workOn, type Fault } from './fault';

/** Runs take the API a while, so that some are always being asked for. */
function slowApi(stage: Stage, mostMs: number): void {
  const random = stage.random.fork('slow API');
  stage.gate.judge(() => ({ kind: 'slow', ms: random.between(1, mostMs) }));
}

function shareOf(stage: Stage, name: string, from: number): number {
  const runs = stage.gate.runs.filter(({ at }) => at >= from);
  return runs.filter(({ by }) => by === name).length / Math.max(1, runs.length);
}

export const HOOKS_STOPPED: Fault[] = [
  {
    name: 'sigterm-under-load',
    what: '`hooks` is stopped by SIGTERM under load and started again, twice',
    checks: 'exit code 0 each time',
    seconds: 10,
    async play(stage) {
      slowApi(stage, 300);
      const load = stage.load();
      stage.faultBegins();
      for (let stops = 0; stops < 2; stops += 1) {
        await load.accepted(stage.random.between(8, 20));
        const code = await stage.hooks.stop();
        mustBe(code === 0, `hooks ended with exit code ${String(code)} after SIGTERM.`);
        stage.faultEnds();
        await sleep(stage.random.between(0, 500));
        await stage.hooks.start();
      }
      await workOn(load);
    },
  },
  {
    name: 'two-replicas-one-killed',
    what: 'one of two replicas is killed under load and never comes back',
    checks: 'the other one takes over',
    doubles: { most: 6, because: 'one a hook' },
    stage: { replicas: 2, hooks: 6 },
    seconds: 25,
    async play(stage) {
      slowApi(stage, 150);
      const load = stage.load();
      const from = Date.now();
      await load.accepted(stage.random.between(50, 80));
      for (const { name } of stage.replicas) {
        const share = shareOf(stage, name, from);
        mustBe(share > 0.1, `${name} asked for ${Math.round(share * 100)} % of the runs only.`);
      }
      const [victim] = stage.random.shuffled(stage.replicas);
      if (!victim) return;
      stage.faultBegins();
      await stage.kill(victim);
      stage.route(victim, false);
      stage.faultEnds();
      await workOn(load);
    },
  },
];
