import * as z from 'zod';
import type { CallStore } from './call-store';
import { RemoteConfigError, type RemoteSource } from './remote-sources';

/** Where CDS's own engine looks. Version 2 of the KV engine has `data/` in it. */
const PATHS = { v1: 'secret/cds/conf', v2: 'secret/data/cds/conf' };

const versionOne = z.object({ data: z.record(z.string(), z.unknown()) });
const versionTwo = z.object({
  data: z.object({ data: z.record(z.string(), z.unknown()), metadata: z.looseObject({}) }),
});

/**
 * Reads `secret/cds/conf`, of which the field `data` is the configuration: version 1 of the KV
 * engine, as CDS itself does, and version 2.
 * https://developer.hashicorp.com/vault/api-docs/secret/kv
 * @throws RemoteConfigError
 */
export async function readVault(
  { url }: RemoteSource,
  call: CallStore,
): Promise<{ text: string; isOfCds: boolean }> {
  const refuse = (reason: string) => new RemoteConfigError(`Vault at ${url} ${reason}`);
  const first = await call(PATHS.v1);
  if (first.status === 200) {
    const answer = versionOne.safeParse(first.json);
    if (!answer.success) throw refuse(NO_VAULT);
    return { text: fieldOf(answer.data.data, refuse), isOfCds: true };
  }
  // Version 2 has no such path (404), and a policy for its own paths says nothing of it (403).
  const second = isKnown(first.status) ? await call(PATHS.v2) : first;
  if (second.status === 200) {
    const answer = versionTwo.safeParse(second.json);
    if (!answer.success) throw refuse(NO_VAULT);
    return { text: fieldOf(answer.data.data.data, refuse), isOfCds: false };
  }
  const statuses = [first.status, second.status];
  if (!statuses.every(isKnown) || !hasErrors(first.json))
    throw refuse(`${NO_VAULT} (${second.status})`);
  if (statuses.every((status) => status === 403))
    throw refuse(
      `refuses the token (403): it has expired, or its policy does not allow to read ${PATHS.v1} (KV version 1) or ${PATHS.v2} (version 2)`,
    );
  throw refuse(
    `has no secret/cds/conf: write it with \`vault kv put secret/cds/conf data=@cds.toml\`, and allow the token to read it${statuses.includes(403) ? ` (${PATHS.v1}: ${first.status}, ${PATHS.v2}: ${second.status})` : ''}`,
  );
}

const NO_VAULT = 'does not answer as Vault does: see whether the address is that of Vault';

const isKnown = (status: number) => status === 403 || status === 404;

/** Vault lists errors, also where there are none. */
function hasErrors(json: unknown): boolean {
  return z.looseObject({}).safeParse(json).success;
}

function fieldOf(fields: Record<string, unknown>, refuse: (reason: string) => Error): string {
  const { data } = fields;
  if (typeof data === 'string' && data.trim() !== '') return data;
  throw refuse(
    data === undefined
      ? 'has no field data in secret/cds/conf: the configuration has to stand in it, as TOML'
      : 'has no text in the field data of secret/cds/conf: it has to be the configuration, as TOML',
  );
}
