import type { Script } from '@cds/redis';
import type { Redis } from 'ioredis';
import { keysOf } from './redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from './unreadable/set-aside';

type HookKey = keyof ReturnType<typeof keysOf>;
type Run<K extends HookKey, A extends string, E extends string, R> = ReturnType<
  Script<K, A, E, R>['on']
>;

/** Makes the function that runs scripts for a hook, whose keys of another type are repaired. */
export function createHookScripts(deps: { redis: Redis; keyRepair?: KeyRepair }) {
  const { redis, keyRepair = NO_KEY_REPAIR } = deps;
  return <K extends HookKey, A extends string, E extends string, R>(
    script: Script<K, A, E, R>,
    uuid: string,
    args: Parameters<Run<K, A, E, R>>[1],
    ...each: [E] extends [never] ? [] : [each: Parameters<Run<K, A, E, R>>[2]]
  ): Promise<R> => keyRepair.hook(uuid, () => script.on(redis)(keysOf(uuid), args, ...each));
}
