import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@cds/testing';
import { openSilentRepository, type SilentRepository } from '../stage/silent-repository';
import type { Stage } from '../stage/stage';
import { mustBe, nothingUnderWay, type Fault } from './fault';

/** A build of a pushed commit, for each hook. */
interface Built {
  hash: string;
}

/** Pushes, and sends the deliveries until each is taken. */
async function push(stage: Stage, repository: SilentRepository, branch: string): Promise<Built> {
  const { change, deliveries } = await repository.push(branch);
  for (const delivery of deliveries)
    while ((await stage.send(delivery)).status !== 200) await sleep(100);
  return { hash: change.hash };
}

/** What the runs of a commit came to, of all hooks. */
function runsOf(stage: Stage, { hash }: Built) {
  return stage.webhooks.flatMap(({ workflow }) =>
    stage.api.runs('SHOP', workflow).filter(({ event }) => event.payload['git.hash'] === hash),
  );
}

function statesOf(stage: Stage, { hash }: Built): string[] {
  const repository = stage.webhooks[0]?.repository ?? '';
  return stage.bitbucket.statuses(repository, hash).map(({ state }) => state);
}

/** How many events `vcs` took. The API tells of the beginning of each build twice. */
function eventsTaken(stage: Stage): number {
  return stage.api.calls().filter(({ url, status }) => url.endsWith('/status') && status === 204)
    .length;
}

/** Resolves when the runs of a commit have ended in the API. */
async function ended(stage: Stage, built: Built): Promise<void> {
  const isOver = (status: string): boolean => status === 'Success' || status === 'Fail';
  await waitFor(
    () => {
      const runs = runsOf(stage, built);
      return runs.length >= stage.webhooks.length && runs.every(({ status }) => isOver(status));
    },
    { what: `the runs of ${built.hash} to end` },
  );
}

async function mustSucceed(stage: Stage, built: Built): Promise<void> {
  await ended(stage, built);
  for (const { status, problems } of runsOf(stage, built))
    mustBe(status === 'Success', `A run ended as ${status}: ${problems.join('; ')}`);
}

/** Resolves when Bitbucket shows an end for every build of a commit. */
async function mustFinish(stage: Stage, built: Built): Promise<void> {
  await waitFor(
    () => {
      const states = statesOf(stage, built);
      return states.length === stage.webhooks.length && states.every((one) => one === 'SUCCESSFUL');
    },
    { what: 'the end of all builds to be at Bitbucket' },
  );
}

async function registered(stage: Stage, name: string): Promise<void> {
  await waitFor(() => stage.api.services().some((one) => one.name === name), {
    what: `${name} to register`,
  });
}

// Hashes, and events that tell of a start twice, are of 0.40 to 0.43.
export const VCS_AWAY: Fault[] = [
  {
    name: 'common-restart',
    what: 'the API, `hooks` and, later, `vcs` restart while deliveries wait; twice, once forgetting `vcs`',
    checks: 'no run that waited is asked for before `vcs` is there',
    stage: { cds: '0.41', hooks: 2, builds: true },
    seconds: 15,
    async play(stage) {
      const repository = openSilentRepository(stage);
      const random = stage.random.fork('restarts');
      stage.faultBegins();
      for (const rows of random.shuffled(['kept', 'gone'] as const)) {
        stage.note(`the row of vcs is ${rows}`);
        await stage.gate.away();
        const waiting: Built[] = [];
        for (let number = 0; number < 3; number += 1)
          waiting.push(await push(stage, repository, `${rows}/${number}`));
        await Promise.all([stage.hooks.stop(), stage.vcs.stop()]);
        stage.api.restart();
        if (rows === 'gone') stage.api.forgetServices();
        await stage.gate.back();
        await stage.hooks.start();
        await registered(stage, stage.hooks.name);
        await sleep(random.between(500, 3_000));
        await stage.vcs.start();
        for (const built of waiting) await mustSucceed(stage, built);
      }
      stage.faultEnds();
      const after = await push(stage, repository, 'after');
      await mustSucceed(stage, after);
      await nothingUnderWay(stage);
    },
  },
  {
    name: 'vcs-away-for-long',
    what: '`vcs` is away until the API forgot it, and has a new hash, unused for known projects',
    checks: 'later runs end well, without a restart of the API',
    stage: { cds: '0.41', hooks: 2, builds: true },
    seconds: 8,
    async play(stage) {
      const repository = openSilentRepository(stage);
      await mustSucceed(stage, await push(stage, repository, 'before'));
      stage.faultBegins();
      const hashOf = () => stage.api.services().find(({ name }) => name === 'vcs')?.hash;
      const before = hashOf();
      if (stage.random.between(0, 1) === 0) await stage.vcs.kill();
      else await stage.vcs.stop();
      stage.api.forgetServices('vcs');
      await stage.vcs.start();
      await registered(stage, 'vcs');
      mustBe(hashOf() !== before, 'The hash of vcs is the old one.');
      stage.faultEnds();
      await mustSucceed(stage, await push(stage, repository, 'after'));
      await stage.vcs.kill();
      await stage.vcs.start();
      await mustSucceed(stage, await push(stage, repository, 'again'));
      await nothingUnderWay(stage);
    },
  },
  {
    name: 'vcs-killed-while-building',
    what: '`vcs` is down while builds end that Bitbucket shows as in progress, twice',
    checks: 'Bitbucket is told how each ended',
    stage: { cds: '0.41', hooks: 2, builds: true, buildMs: 1_500 },
    seconds: 12,
    async play(stage) {
      const repository = openSilentRepository(stage);
      stage.faultBegins();
      for (const branch of ['first', 'second']) {
        const before = eventsTaken(stage);
        const built = await push(stage, repository, branch);
        // While one is under way, its lock would outlive the kill by half a minute.
        const all = before + 2 * stage.webhooks.length;
        await waitFor(() => eventsTaken(stage) >= all, { what: 'the builds to be in progress' });
        await stage.vcs.kill();
        await ended(stage, built);
        mustBe(
          statesOf(stage, built).every((state) => state === 'INPROGRESS'),
          'Bitbucket was told of the end before.',
        );
        await stage.vcs.start();
        await mustFinish(stage, built);
      }
      stage.faultEnds();
      const after = await push(stage, repository, 'after');
      await mustFinish(stage, after);
      await nothingUnderWay(stage);
    },
  },
];
