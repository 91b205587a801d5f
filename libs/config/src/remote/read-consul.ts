import { isUtf8 } from 'node:buffer';
import * as z from 'zod';
import type { CallStore } from './call-store';
import { RemoteConfigError, type RemoteSource } from './remote-sources';

const entries = z.tuple([z.object({ Key: z.string(), Value: z.base64().nullable() })]);

/**
 * Reads a key of Consul: https://developer.hashicorp.com/consul/api-docs/kv
 * @throws RemoteConfigError
 */
export async function readConsul(
  { url, key, namespace }: RemoteSource,
  call: CallStore,
): Promise<{ text: string; isOfCds: boolean }> {
  const refuse = (reason: string) => new RemoteConfigError(`Consul at ${url} ${reason}`);
  const path = key.split('/').map(encodeURIComponent).join('/');
  const query = namespace === undefined ? '' : `?ns=${encodeURIComponent(namespace)}`;
  const { status, json } = await call(`kv/${path}${query}`);
  if (status === 404)
    throw refuse(`has no key ${key}: write it with \`consul kv put ${key} @cds.toml\``);
  if (status === 403)
    throw refuse(
      `refuses the token (403): CONSUL_HTTP_TOKEN or CONSUL_HTTP_TOKEN_FILE has to be one that may read ${key}`,
    );
  const answer = entries.safeParse(json);
  if (status !== 200 || !answer.success || answer.data[0].Key !== key)
    throw refuse(
      `does not answer as Consul does (${status}): see whether the address is that of Consul`,
    );
  const bytes = Buffer.from(answer.data[0].Value ?? '', 'base64');
  if (!isUtf8(bytes)) throw refuse(`has no UTF-8 text in ${key}`);
  const text = bytes.toString('utf8');
  if (text.trim() === '') throw refuse(`has an empty ${key}: write the configuration to it`);
  return { text, isOfCds: true };
}
