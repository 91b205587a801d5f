import { randomUUID } from 'node:crypto';
import { NEW_STATE, type StoredExecution } from '@cds/hooks-store';
import { fieldsOf, hookKeys, KEYS } from '@cds/hooks-store/keys';
import type { WebHookExecution } from '@cds/wire';
import { createDeliveryStore } from './hooks-internals';
import { commitOf, signedPush } from '../processes/deliveries';
import type { HooksStage } from './hooks-stage';

/** Scripts sent to Redis side by side, a delivery of each hook or of some. */
const AT_ONCE = 500;

/**
 * Puts deliveries in Redis as if they had been sent to the hooks in turn: by the script of the
 * service, each in the form in which the service kept one that was really sent.
 *
 * @returns bytes of all bodies
 * @throws Error when what is in Redis then is not of that form, or not as much
 */
export async function fillBacklog(
  stage: HooksStage,
  amount: number,
  round: number,
): Promise<number> {
  const { redis } = stage.redis;
  await stage.send({ round, amount: 1, connections: 1 });
  const [first] = stage.hooks as [(typeof stage.hooks)[number]];
  const real = await newest(stage, first.uuid);
  const { webhook } = JSON.parse(real[0] ?? '') as StoredExecution;
  const { request_url, request_header, request_method } = webhook as WebHookExecution;
  const store = createDeliveryStore({
    redis,
    executionHistory: 30,
    signature: 'auto',
    deadLetters: 100,
  });

  async function put(index: number): Promise<void> {
    const at = index % stage.hooks.length;
    const hook = stage.hooks[at] as (typeof stage.hooks)[number];
    // The real one was the first of its hook.
    const number = Math.floor(index / stage.hooks.length);
    const { body, headers } = signedPush(hook, commitOf(round, at, number));
    const requestUuid = headers['X-Request-UUID'] as string;
    const kept = await store.accept({
      ...{ uuid: hook.uuid, method: 'POST', validatedFor: 'RepoWebHook', validation: 'accept' },
      ...{ signature: 'right', requestUuid, acceptedAt: Date.now(), requestId: randomUUID() },
      received: {
        webhook: {
          ...{ request_url, request_body: '' },
          request_header: {
            ...request_header,
            'X-Hub-Signature': [headers['X-Hub-Signature'] as string],
            'X-Request-Uuid': [requestUuid],
          },
          request_method,
        },
      },
      body,
      ...{ ignored: NEW_STATE, duplicate: NEW_STATE },
    });
    if (kept.kind !== 'accepted') throw new Error(`The backlog was not taken: ${kept.kind}`);
  }

  for (let index = 1; index < amount; index += AT_ONCE) {
    const some = Math.min(AT_ONCE, amount - index);
    await Promise.all(Array.from({ length: some }, (_, more) => put(index + more)));
  }
  const waiting = Number(await redis.get(KEYS.waitingTotal));
  if (waiting !== amount) throw new Error(`${waiting} deliveries wait, not ${amount}`);
  const filled = await newest(stage, first.uuid);
  if (formOf(filled) !== formOf(real)) {
    const [was, is] = [filled, real].map((text) => text.join('\n').slice(0, 3_000));
    throw new Error(`Filled in was\n${was}\nnot, as really sent,\n${is}`);
  }
  return amount * Buffer.byteLength(real[1] ?? '');
}

async function newest(stage: HooksStage, uuid: string): Promise<(string | null)[]> {
  const keys = hookKeys(uuid);
  const id = (await stage.redis.redis.lindex(keys.waiting, -1)) ?? '';
  return stage.redis.redis.hmget(keys.executions, ...fieldsOf([id]));
}

/**
 * A stored execution without what digits and letters say: what two of the same hook have in common.
 */
export function formOf(stored: (string | null)[]): string {
  return stored.join('\n').replaceAll(/[0-9a-z]/gi, 'x');
}
