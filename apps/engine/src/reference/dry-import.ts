import { createImport, type Import, importedName, traitsOf } from '@cds/hooks-store';
import { hookKeys } from '@cds/hooks-store/keys';
import type { Redis } from 'ioredis';

/** Says what an import would do, and writes nothing. */
export function createDryImport({ redis }: { redis: Redis }): Import {
  const { known } = createImport({ redis });
  const isKnown = async (name: string) => (await known([name])).has(name);

  return {
    known,
    async task({ uuid }) {
      if (await isKnown(importedName('task', uuid))) return 'known';
      return (await redis.exists(hookKeys(uuid).task)) === 1 ? 'there' : 'ok';
    },
    async delivery({ uuid, timestamp, acceptedUs, late, execution, requestUuid }) {
      if (await isKnown(importedName('delivery', uuid, timestamp))) return 'known';
      const { task, seen } = hookKeys(uuid);
      if (requestUuid !== '' && (await redis.zscore(seen, requestUuid)) !== null)
        return 'duplicate';
      const isOlder = acceptedUs < Number((await redis.hget(task, 'last_id')) ?? 0);
      return traitsOf(execution.type).takesPushes && (late || isOlder) ? 'late' : 'ok';
    },
    async cleanup({ uuid, timestamp }) {
      return (await isKnown(importedName('cleanup', uuid, timestamp))) ? 'known' : 'ok';
    },
    passOver: () => Promise.resolve(),
  };
}
