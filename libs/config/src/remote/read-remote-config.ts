import { setTimeout as sleep } from 'node:timers/promises';
import { ProxySettingsError, readProxySettings } from '@cds/network';
import type { ConfigText } from '../load-config';
import { type CallStore, callStore } from './call-store';
import { readConsul } from './read-consul';
import { readVault } from './read-vault';
import {
  RemoteConfigError,
  type RemoteOptions,
  type RemoteSource,
  remoteSources,
} from './remote-sources';

/** Between two tries of a call that may succeed later. */
const PAUSES_MS = [1_000, 2_000, 4_000];

/** A configuration that Vault or Consul holds. */
export interface RemoteDocument extends ConfigText {
  /** `Vault https://vault.example.com:8200`: for problems of its keys. */
  path: string;
  /**
   * The arguments that name it to CDS's own engine, a token among them; undefined where that cannot
   * read it: it knows version 1 of Vault's KV engine alone.
   */
  argsOfCds: readonly string[] | undefined;
}

/**
 * Reads the configuration that Vault and Consul hold, where the options or the environment name
 * them, in the order in which they count, the last one most. Each is asked up to four times.
 * @param o.hasFiles whether there are configuration files besides
 * @param o.onRetry called with a sentence before each new try
 * @throws RemoteConfigError that says what to do
 */
export async function readRemoteConfig(o: {
  options: RemoteOptions;
  hasFiles: boolean;
  env: NodeJS.ProcessEnv;
  onRetry?: ((sentence: string) => void) | undefined;
  pausesMs?: readonly number[];
}): Promise<RemoteDocument[]> {
  const sources = remoteSources(o.options, o);
  const documents: RemoteDocument[] = [];
  for (const source of sources) documents.push(await readWithRetries(source, o));
  return documents;
}

async function readWithRetries(
  source: RemoteSource,
  { env, onRetry, pausesMs = PAUSES_MS }: Parameters<typeof readRemoteConfig>[0],
): Promise<RemoteDocument> {
  const proxies = proxiesOf(env);
  const call: CallStore = (path) => callStore(source, path, proxies);
  const read = source.kind === 'Vault' ? readVault : readConsul;
  for (let tries = 0; ; tries++) {
    try {
      const { text, isOfCds } = await read(source, call);
      const path = `${source.kind} ${source.url}`;
      return { text, path, argsOfCds: isOfCds ? argsOfCds(source) : undefined };
    } catch (error) {
      const pauseMs = pausesMs[tries];
      const isLast = !(error instanceof RemoteConfigError && error.mayPass);
      if (isLast || pauseMs === undefined) throw error;
      onRetry?.(`${error.message}; asking again in ${pauseMs / 1_000} s`);
      await sleep(pauseMs);
    }
  }
}

function argsOfCds({ kind, url, token = '', key }: RemoteSource): string[] {
  return kind === 'Vault'
    ? ['--vault-addr', url, '--vault-token', token]
    : ['--remote-config', url, '--remote-config-key', key];
}

function proxiesOf(env: NodeJS.ProcessEnv) {
  try {
    return readProxySettings(env);
  } catch (error) {
    if (error instanceof ProxySettingsError) throw new RemoteConfigError(error.message);
    throw error;
  }
}
