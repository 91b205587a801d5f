import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@cds/testing';
import type { Task } from '@cds/wire';
import { ACCEPT_DELIVERY } from '../hooks-internals';
import type { GateCall, Handling } from '../stage/api-gate';
import { openPolledRepository, type PolledRepository } from '../stage/polled-repository';
import type { Replica } from '../stage/replica';
import type { PreparedDelivery } from '../stage/sender';
import type { Stage } from '../stage/stage';
import { mustBe, nothingUnderWay, workOn, type Fault } from './fault';

/** What was not done, and why, of the executions of a hook. */
async function leftOut(stage: Stage, { uuid }: { uuid: string }): Promise<string[]> {
  const task = (await stage.api.callHooks('GET', `/task/${uuid}/execution`)) as Task;
  return (task.executions ?? []).flatMap(({ last_error }) => last_error ?? []);
}

/** The replica that asked last for what happened in the repository. */
function whoPolled(stage: Stage, { uuid }: { uuid: string }): Replica {
  const by = stage.gate.polls.findLast(({ hook }) => hook === uuid)?.by;
  const replica = stage.replicas.find(({ name }) => name === by);
  if (!replica) throw new Error('Nobody polled.');
  return replica;
}

/** A proxy answers 502 for the runs of a hook: what is found waits. */
function refuseRuns({ kind, hook }: GateCall, uuid: string): Handling {
  if (kind !== 'run' || hook !== uuid) return { kind: 'pass' };
  return { kind: 'answer', status: 502, contentType: 'text/html', body: '<h1>502</h1>' };
}

/** Resolves when a poll has come to this moment, and nobody else can have the poll. */
function reachedBy(
  stage: Stage,
  { uuid }: { uuid: string },
  moment: 'asking' | 'before' | 'after',
): Promise<unknown> {
  if (moment !== 'asking')
    return stage.proxy.reached({ script: ACCEPT_DELIVERY, word: uuid, when: moment });
  return new Promise<void>((resolve) => {
    stage.gate.judge((call) => {
      if (call.kind !== 'poll') return refuseRuns(call, uuid);
      resolve();
      return { kind: 'swallow' };
    });
  });
}

/** Sends each until it is taken. */
async function deliver(stage: Stage, deliveries: PreparedDelivery[]): Promise<void> {
  for (const delivery of deliveries)
    while ((await stage.send(delivery)).status !== 200) await sleep(100);
}

/** Has polls be due all the time while something else happens. */
async function polledMeanwhile(repository: PolledRepository, work: Promise<unknown>) {
  let on = true;
  const polls = (async () => {
    for (; on; await sleep(150)) await repository.due();
  })();
  try {
    await work;
  } finally {
    on = false;
    await polls;
  }
}

/**
 * What a look at the repository saw may not be so any more when it is compared, and when it is
 * heard.
 */
function slowLooks(stage: Stage): void {
  const random = stage.random.fork('looks');
  for (let looks = 0; looks < 200; looks += 1)
    stage.bitbucket.faults.order({
      fault: { kind: 'slow', ms: random.between(1, 300) },
      // Asked for when the branches are known.
      path: '/pullrequests',
    });
  stage.gate.judge(({ kind }) =>
    kind === 'poll' ? { kind: 'slow-answer', ms: random.between(0, 300) } : { kind: 'pass' },
  );
}

/**
 * Resolves when the API has removed the runs of a branch, for each hook, that was deleted just now.
 */
async function mustRemove(stage: Stage, branch: string): Promise<void> {
  const from = Date.now();
  await waitFor(
    () =>
      stage.webhooks.every(({ uuid }) =>
        stage.gate.removals.some(
          (one) =>
            one.hook === uuid &&
            one.branch === branch &&
            one.at > from &&
            one.servedAt !== undefined,
        ),
      ),
    { what: `the removal of the runs of ${branch}` },
  );
}

/** Kills `hooks` at random times, and starts it again. */
async function killAtRandom(stage: Stage, times: number): Promise<void> {
  const random = stage.random.fork('kills');
  for (let kills = 0; kills < times; kills += 1) {
    await sleep(random.between(200, 900));
    await stage.kill(stage.hooks);
    await sleep(random.between(0, 300));
    await stage.hooks.start();
  }
}

export const POLLING: Fault[] = [
  {
    name: 'poller-killed',
    what: 'the polling replica is killed three times: before and after the answer, between changes',
    checks: 'the other replica finds all changes; each has one run',
    stage: { replicas: 2, hooks: 1, redisProxy: true, polling: 'pollers' },
    seconds: 6,
    async play(stage) {
      const { hook } = await stage.api.workflows.createPollerWorkflow({
        ...{ project: 'SHOP', name: 'polled', repo: stage.webhooks[0]?.repository ?? '' },
      });
      stage.otherHooks.push(hook);
      const repository = await openPolledRepository(stage, [hook]);
      stage.faultBegins();
      const moments = stage.random.shuffled(['asking', 'before', 'after'] as const);
      for (const [number, moment] of moments.entries()) {
        // Else the API leaves out what has run before it is told again.
        stage.gate.judge((call) => refuseRuns(call, hook.uuid));
        for (let count = stage.random.between(2, 4); count > 0; count -= 1)
          await repository.push(`polled/${number}-${count}`);
        const reached = reachedBy(stage, hook, moment);
        await repository.due();
        await reached;
        const killed = whoPolled(stage, hook);
        stage.note(`a poll of ${killed.name}: ${moment}`);
        await stage.kill(killed);
        stage.gate.judge((call) => refuseRuns(call, hook.uuid));
        await repository.poll();
        stage.gate.judge();
        await Promise.all([repository.worked(), killed.start()]);
        await nothingUnderWay(stage);
      }
      stage.faultEnds();
      await repository.push('polled/after');
      await repository.worked();
      await workOn(stage.load());
    },
  },
  {
    name: 'reconcile-late-deliveries',
    what: 'polls find pushes, whose deliveries come late; `hooks` is killed three times',
    checks: 'each change has one run, whoever told of it first',
    doubles: { most: 6, because: 'one a hook at each kill' },
    stage: { hooks: 2, polling: 'reconcile' },
    seconds: 20,
    async play(stage) {
      const repository = await openPolledRepository(stage, stage.webhooks);
      const random = stage.random.fork('pushes');
      let on = true;
      const held: PreparedDelivery[] = [];
      const sending: Promise<void>[] = [];
      const pushes = async (): Promise<void> => {
        for (let number = 1; on; number += 1) {
          const deliveries = await repository.push(`unheard/${number}`);
          if (number % 2 === 0) held.push(...deliveries);
          else sending.push(sleep(random.between(0, 1_000)).then(() => deliver(stage, deliveries)));
          await sleep(random.between(50, 400));
        }
      };
      stage.faultBegins();
      const pushing = pushes();
      const killed = async () => {
        try {
          await killAtRandom(stage, 3);
        } finally {
          on = false;
          await pushing;
          await Promise.all(sending);
        }
      };
      await polledMeanwhile(repository, killed());
      stage.faultEnds();
      await repository.worked();
      await deliver(stage, random.shuffled(held));
      await workOn(stage.load());
      await nothingUnderWay(stage);
      for (const hook of stage.webhooks) {
        const late = (await leftOut(stage, hook)).filter((why) => why.includes('found by a poll'));
        const least = held.length / stage.webhooks.length;
        mustBe(
          late.length >= least,
          `${late.length} late deliveries led to nothing; ${least} had to.`,
        );
      }
    },
  },
  {
    name: 'reconcile-deletion',
    what: 'slow polls find deletions among random pushes; `hooks` is killed',
    checks: 'runs go with their branch; those of branches that are back stay',
    doubles: { most: 2, because: 'one a hook' },
    stage: { hooks: 2, polling: 'reconcile', asksForDeletions: true, cleanupDelaySeconds: 2 },
    seconds: 20,
    async play(stage) {
      const repository = await openPolledRepository(stage, stage.webhooks);
      const push = async (branch: string) => deliver(stage, await repository.push(branch));
      const branches = ['a', 'b/c', 'd'];
      for (const branch of branches) await push(branch);
      await repository.poll();
      slowLooks(stage);
      let on = true;
      const work = branches.map(async (branch) => {
        const random = stage.random.fork(branch);
        while (on) {
          await repository.remove(branch);
          await sleep(random.between(0, 2_500));
          await push(branch);
          await sleep(random.between(0, 1_500));
        }
      });
      stage.faultBegins();
      const killed = async () => {
        try {
          await killAtRandom(stage, 1);
          await sleep(3_000);
        } finally {
          on = false;
          await Promise.all(work);
        }
      };
      await polledMeanwhile(repository, killed());
      stage.faultEnds();
      stage.gate.judge();
      stage.bitbucket.faults.clear();
      await workOn(stage.load());
      const [gone = ''] = stage.random.shuffled(branches);
      await repository.remove(gone);
      // One that was found while an older one of the same branch still waits is told again.
      await polledMeanwhile(repository, mustRemove(stage, gone));
    },
  },
];
