import { hookKeys, KEYS, POLLED_FIELD } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { Change } from '../checker/history';
import type { PreparedDelivery } from './sender';
import { openSilentRepository } from './silent-repository';
import type { Stage } from './stage';

/**
 * A repository at Bitbucket of which no webhook tells any more by itself, and the hooks for which
 * it is polled.
 */
export interface PolledRepository {
  /**
   * Pushes a commit. Returns the deliveries that never came, one for each webhook: they can be sent
   * late.
   */
  push(branch: string): Promise<PreparedDelivery[]>;
  /** Deletes a branch. */
  remove(branch: string): Promise<void>;
  /**
   * The next poll of each hook is due now, also where it was taken by a replica that died: the two
   * minutes are over.
   */
  due(): Promise<void>;
  /**
   * Resolves when a poll of each hook is over that began from now on: what it found is in Redis.
   */
  poll(): Promise<void>;
  /** Resolves when all that was pushed for these hooks has its run; polls go on until then. */
  worked(): Promise<void>;
}

/** Between two times that polls are due while something is waited for. */
const AGAIN_MS = 1_000;

/**
 * Has no webhook of a repository come any more, and looks at it for the first time: that look finds
 * nothing.
 */
export async function openPolledRepository(
  stage: Stage,
  hooks: { uuid: string }[],
): Promise<PolledRepository> {
  const { bitbucket, redis, history, gate } = stage;
  const silent = openSilentRepository(stage);
  const note = (change: Change, at: number): void => {
    for (const { uuid } of hooks) history.pushed.push({ hook: uuid, change, at });
  };
  const due = () =>
    redis.ask(async (connection) => {
      for (const { uuid } of hooks) await connection.zadd(KEYS.polls, 'XX', 1, uuid);
    });
  const lastPolls = () =>
    redis.ask((connection) =>
      Promise.all(
        hooks.map(async ({ uuid }) =>
          Number(await connection.hget(hookKeys(uuid).task, POLLED_FIELD)),
        ),
      ),
    );

  const repository: PolledRepository = {
    async push(branch) {
      const at = Date.now();
      const { change, deliveries } = await silent.push(branch);
      note(change, at);
      return deliveries;
    },
    async remove(branch) {
      const at = Date.now();
      await (
        await bitbucket.deleteBranch({ repo: silent.name, branch })
      ).delivered;
      note({ kind: 'deletion', branch }, at);
    },
    due,
    async poll() {
      await waitFor(
        () =>
          redis
            .ask((one) => one.zmscore(KEYS.polls, ...hooks.map(({ uuid }) => uuid)))
            .then((due) => !due.includes(null)),
        { what: 'all hooks to be polled' },
      );
      const from = Date.now();
      await due();
      await waitFor(async () => (await lastPolls()).every((began) => began >= from), {
        what: 'a poll of each hook',
      });
    },
    async worked() {
      let asked = 0;
      const hasRun = ({ hook, change }: { hook: string; change: Change }): boolean =>
        change.kind === 'deletion' ||
        gate.runs.some(
          (run) => run.hook === hook && run.hash === change.hash && run.servedAt !== undefined,
        );
      await waitFor(
        async () => {
          if (Date.now() - asked > AGAIN_MS) {
            asked = Date.now();
            await due();
          }
          return history.pushed.every(hasRun);
        },
        { what: 'the runs of all that was pushed' },
      );
    },
  };
  await repository.poll();
  return repository;
}
