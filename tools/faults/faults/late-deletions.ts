import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@cds/testing';
import type { PreparedDelivery, Webhook } from '../stage/sender';
import type { Stage } from '../stage/stage';
import { mustBe, nothingUnderWay, workOn, type Fault } from './fault';

const DELAY_SECONDS = 3;

async function sendUntilTaken(stage: Stage, delivery: PreparedDelivery): Promise<void> {
  await waitFor(async () => (await stage.send(delivery)).status === 200, {
    what: 'a delivery to be taken',
  });
}

async function push(stage: Stage, hook: Webhook, change: string): Promise<void> {
  await sendUntilTaken(stage, stage.sender.prepare(hook, [change]));
}

const removalsOf = (stage: Stage, { uuid }: Webhook, branch: string) =>
  stage.gate.removals.filter((one) => one.hook === uuid && one.branch === branch);

/**
 * Resolves when a cleanup that is scheduled now is done: those that were due before have had their
 * time.
 */
async function othersDone(stage: Stage): Promise<void> {
  await nothingUnderWay(stage);
  for (const hook of stage.webhooks) {
    await push(stage, hook, '+last');
    await push(stage, hook, '-last');
  }
  await waitFor(
    () =>
      stage.webhooks.every((hook) => removalsOf(stage, hook, 'last').some((one) => one.answered)),
    { what: 'the last removals' },
  );
}

/** Another hook of the workflow of this one. */
async function secondHook(stage: Stage, { workflow }: Webhook): Promise<Webhook> {
  const uuid = randomUUID();
  const value = (text: string) => ({
    ...{ value: text, configurable: false, type: '', multiple_choice_list: null },
  });
  const config = {
    ...{ project: value('SHOP'), workflow: value(workflow), method: value('POST') },
    ...{ repoFullName: value('acme/renamed'), vcsServer: value('bitbucketcloud') },
  };
  const hook = { id: 0, uuid, ref: '', node_id: 0, hook_model_id: 2, config };
  await stage.api.callHooks('POST', '/task/bulk', {
    [uuid]: { ...hook, hook_model_name: 'RepositoryWebHook' },
  });
  return { uuid, workflow, repository: 'acme/renamed' };
}

export const LATE_DELETIONS: Fault[] = [
  {
    name: 'deletion-resent-late',
    what: 'deletions get 503, and are sent again after the branches were pushed anew',
    checks: 'runs stay unless the deletion is the last event',
    stage: { cleanupDelaySeconds: DELAY_SECONDS },
    seconds: 20,
    async play(stage) {
      for (const hook of stage.webhooks)
        for (const one of ['+dev', '+gone']) await push(stage, hook, one);
      await nothingUnderWay(stage);
      stage.faultBegins();
      await stage.redis.shutDown();
      const held = stage.webhooks.map((hook) => stage.sender.prepare(hook, ['-dev']));
      for (const delivery of held) {
        const { status } = await stage.send(delivery);
        mustBe(status === 503, `A deletion without Redis was answered ${String(status)}.`);
      }
      await stage.redis.start();
      for (const hook of stage.webhooks) await push(stage, hook, '+dev');
      await sleep(stage.random.between(0, 500));
      for (const delivery of held) await sendUntilTaken(stage, delivery);
      for (const hook of stage.webhooks) await push(stage, hook, '-gone');
      stage.faultEnds();
      await othersDone(stage);
      await waitFor(
        () => stage.webhooks.every((hook) => removalsOf(stage, hook, 'gone').length > 0),
        { what: 'the removal of the runs of a branch that is gone' },
      );
      for (const hook of stage.webhooks) {
        mustBe(
          removalsOf(stage, hook, 'dev').length === 0,
          'The runs of a branch that is back were removed.',
        );
      }
      await workOn(stage.load());
    },
  },
  {
    name: 'renamed-repository',
    what: 'a renamed repository brings a deleted branch back at another hook; `hooks` is killed',
    checks: 'the runs of the branch stay',
    doubles: { most: 4, because: 'one a hook' },
    stage: { cleanupDelaySeconds: DELAY_SECONDS * 2 },
    seconds: 20,
    async play(stage) {
      for (const hook of stage.webhooks) await push(stage, hook, '+dev');
      for (const hook of stage.webhooks) await push(stage, hook, '-dev');
      await nothingUnderWay(stage);
      const renamed: Webhook[] = [];
      for (const hook of stage.webhooks) renamed.push(await secondHook(stage, hook));
      stage.history.sameWorkflow = Object.fromEntries(
        renamed.map(({ uuid }, index) => [uuid, stage.webhooks[index]?.uuid ?? uuid]),
      );
      stage.faultBegins();
      for (const hook of renamed) await push(stage, hook, '+dev');
      await stage.kill(stage.hooks);
      await stage.hooks.start();
      stage.faultEnds();
      await othersDone(stage);
      for (const hook of stage.webhooks)
        mustBe(
          removalsOf(stage, hook, 'dev').length === 0,
          'The runs of a branch that is back were removed.',
        );
      await workOn(stage.load());
    },
  },
];
