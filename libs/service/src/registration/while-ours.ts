import type { HashStore } from '@cds/redis';

/** The same store, into which nothing is put while the state in Redis is another's. */
export function whileOurs(store: HashStore, isOurs: () => boolean): HashStore {
  return {
    ...store,
    async add(hashes) {
      if (!isOurs()) throw new Error('the state in Redis is not known to be that of this CDS');
      await store.add(hashes);
    },
  };
}
