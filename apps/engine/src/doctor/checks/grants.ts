import { createGrantCipher, storedGrantSchema, vcsKeys } from '@cds/redis';
import type { Redis } from 'ioredis';

/** Grants that are looked at; a CDS has one for each linked project. */
const MAX_GRANTS = 1_000;
const SCANNED = 1_000;
/** Keys of others in the same database; a scan is no search without an end. */
const MAX_SCANS = 500;

export type StoredGrants = ReturnType<typeof storedGrants>;

/** Reads the grants of vcs, without using or renewing any. */
export function storedGrants(redis: Redis, isOnlyServer: boolean) {
  let sealed: ReturnType<typeof readAll> | undefined;
  const secrets: string[] = [];

  async function readAll() {
    const prefix = redis.options.keyPrefix ?? '';
    const match = `${prefix}${vcsKeys.grantPrefix}`.replaceAll(/[\\*?[\]]/g, String.raw`\$&`);
    const found = new Map<string, string>();
    let cursor = '0';
    for (let scans = 0; scans < MAX_SCANS && found.size < MAX_GRANTS; scans++) {
      // ioredis adds its key prefix to no pattern, and takes it from no key that it returns.
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${match}*`, 'COUNT', SCANNED);
      for (const key of keys) {
        const name = key.slice(prefix.length);
        const text = await redis.get(name);
        if (text !== null) found.set(name, text);
      }
      cursor = next;
      if (cursor === '0') return { found, isComplete: true };
    }
    return { found, isComplete: false };
  }

  return {
    isOnlyServer,
    /** Every access token that was read, to keep it out of what is printed. */
    secrets: () => secrets,
    /** The grants that the client secret opens; `isComplete`: whether all were looked at. */
    async of(clientSecret: string) {
      sealed ??= readAll();
      const { found, isComplete } = await sealed;
      const cipher = createGrantCipher(clientSecret);
      const readable = [...found].flatMap(([name, text]) => {
        const opened = cipher.open(name, text);
        const grant =
          opened === undefined ? undefined : storedGrantSchema.safeParse(JSON.parse(opened)).data;
        if (!grant) return [];
        secrets.push(grant.accessToken, grant.refreshToken);
        return [{ accessToken: grant.accessToken, expiresAt: grant.expiresAt }];
      });
      readable.sort((a, b) => b.expiresAt - a.expiresAt);
      return { total: found.size, readable, isComplete };
    },
  };
}
