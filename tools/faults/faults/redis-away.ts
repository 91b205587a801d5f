import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from '../stage/stage';
import { mustHaveRefused, workOn, type Fault } from './fault';

/**
 * Under load, something happens to Redis, and ends. The API takes a moment, so that runs are under
 * way then.
 */
async function underLoad(
  stage: Stage,
  begin: () => unknown,
  end: () => unknown,
  lastsMs: number,
  slowMs = 100,
): Promise<void> {
  const random = stage.random.fork('API');
  stage.gate.judge(() => ({ kind: 'slow', ms: random.between(1, slowMs) }));
  const load = stage.load();
  await load.accepted(stage.random.between(15, 40));
  stage.faultBegins();
  await begin();
  await sleep(lastsMs);
  await end();
  stage.faultEnds();
  await workOn(load);
}

/** Runs are under way when Redis stops answering, and longer than a lock of BullMQ lives. */
const SLOW_MS = 1_000;

function frozen(seconds: number): Fault {
  return {
    name: `redis-frozen-${seconds}`,
    what: `Redis is frozen for ${seconds} s under two replicas`,
    checks: '503 meanwhile; no run is asked for again',
    stage: { replicas: 2 },
    seconds: seconds + 10,
    async play(stage) {
      const lastsMs = seconds * 1_000;
      await underLoad(stage, stage.redis.freeze, stage.redis.thaw, lastsMs, SLOW_MS);
      mustHaveRefused(stage);
    },
  };
}

async function setMaxmemory(stage: Stage, bytes: number): Promise<void> {
  await stage.redis.ask((redis) => redis.config('SET', 'maxmemory', String(bytes)));
}

export const REDIS_AWAY: Fault[] = [
  {
    name: 'redis-restarted',
    what: 'Redis is restarted (SIGTERM) under load',
    seconds: 10,
    async play(stage) {
      const lastsMs = stage.random.between(200, 3_000);
      await underLoad(stage, stage.redis.shutDown, stage.redis.start, lastsMs);
    },
  },
  {
    name: 'redis-killed',
    what: 'Redis is killed under load, with its append-only file on, three times',
    seconds: 12,
    async play(stage) {
      const kill = async (): Promise<void> => {
        for (let kills = 0; kills < 2; kills += 1) {
          await stage.redis.kill();
          await sleep(stage.random.between(100, 500));
          await stage.redis.start();
          await sleep(stage.random.between(300, 1_500));
        }
        await stage.redis.kill();
      };
      await underLoad(stage, kill, stage.redis.start, stage.random.between(200, 2_000));
    },
  },
  frozen(10),
  frozen(60),
  {
    name: 'redis-out-of-memory',
    what: 'Redis is out of memory (noeviction) under load, five times',
    checks: '503 meanwhile; no script is left half done',
    seconds: 20,
    async play(stage) {
      const flap = async (): Promise<void> => {
        for (let times = 0; times < 4; times += 1) {
          await setMaxmemory(stage, 1);
          await sleep(stage.random.between(200, 2_500));
          await setMaxmemory(stage, 0);
          await sleep(stage.random.between(200, 1_000));
        }
        await setMaxmemory(stage, 1);
      };
      await underLoad(stage, flap, () => setMaxmemory(stage, 0), 2_000, 500);
      mustHaveRefused(stage);
    },
  },
  {
    name: 'redis-away-at-start',
    what: '`hooks` starts without Redis, whose file holds waiting deliveries',
    checks: '503 meanwhile; what waited is processed later',
    seconds: 12,
    async play(stage) {
      await stage.gate.away();
      const load = stage.load();
      await load.accepted(10);
      stage.faultBegins();
      await stage.kill(stage.hooks);
      await stage.redis.shutDown();
      await stage.gate.back();
      await stage.hooks.start();
      await sleep(stage.random.between(1_000, 4_000));
      mustHaveRefusedSince(stage);
      await stage.redis.start();
      stage.faultEnds();
      await workOn(load);
    },
  },
  {
    name: 'redis-flaps-at-start',
    what: 'Redis is killed and started eight times while `hooks` starts, three times over',
    checks: 'later cleanups and deliveries are processed, too',
    stage: { cleanupDelaySeconds: 1 },
    doubles: { most: 9, because: 'one a hook at each kill' },
    seconds: 20,
    async play(stage) {
      const load = stage.load();
      await load.accepted(10);
      stage.faultBegins();
      for (let starts = 0; starts < 3; starts += 1) {
        await stage.kill(stage.hooks);
        await flapWhileStarting(stage);
      }
      stage.faultEnds();
      await workOn(load);
      for (const hook of stage.webhooks) {
        await stage.push(hook, '+gone');
        await stage.push(hook, '-gone');
      }
      await sleep(2_000);
    },
  },
];

/**
 * Redis comes and goes while `hooks` is being started: each of its connections may break at its
 * first command.
 */
async function flapWhileStarting(stage: Stage): Promise<void> {
  const starting = stage.hooks.start();
  for (let times = 0; times < 8; times += 1) {
    await sleep(stage.random.between(0, 250));
    await stage.redis.kill();
    await stage.redis.start();
  }
  await starting;
}

function mustHaveRefusedSince(stage: Stage): void {
  stage.history.faultEndedAt = Date.now();
  mustHaveRefused(stage);
}
