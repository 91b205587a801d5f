// A process of little memory that reads what a hostile server sends: see bounds.spec.ts.
import { BitbucketError, createBitbucketClient } from '../src';

const [apiUrl = ''] = process.argv.slice(2);
const tokens = { current: async () => 'token', renew: async () => 'token' };
const client = createBitbucketClient({ apiUrl, tokens, firstPauseMs: 0 });

async function main(): Promise<void> {
  const ctx = { signal: AbortSignal.timeout(300_000) };
  const outcome = await client.listBranches({ workspace: 'ws', slug: 'repo' }, ctx).then(
    (branches) => `${branches.length} branches`,
    (error: unknown) => (error instanceof BitbucketError ? error.message : String(error)),
  );
  process.stdout.write(`${outcome}\n`);
}

void main();
