import { parseUrl } from '@cds/network';
import { readSecretFile } from '../sources/secret-file';

/** The configuration cannot be read from Vault or Consul. Never holds a token or what they hold. */
export class RemoteConfigError extends Error {
  override readonly name = 'RemoteConfigError';

  /** @param mayPass whether the same call may succeed later */
  constructor(
    message: string,
    readonly mayPass = false,
  ) {
    super(message);
  }
}

/** Where CDS's own engine looks in Consul. */
export const DEFAULT_CONSUL_KEY = 'cds/config.api.toml';

/** The options of CDS's own `engine start`: as on the command line, as commander names them. */
export const REMOTE_OPTIONS = [
  ['vault-addr', 'vaultAddr', 'URL of a Vault with the configuration in secret/cds/conf'],
  ['vault-token', 'vaultToken', 'its token; better in VAULT_TOKEN, where `ps` does not show it'],
  ['remote-config', 'remoteConfig', 'address of a Consul with the configuration, host:8500'],
  ['remote-config-key', 'remoteConfigKey', `its key there, ${DEFAULT_CONSUL_KEY} if not given`],
] as const;
export type RemoteOptions = Partial<Record<(typeof REMOTE_OPTIONS)[number][1], string | undefined>>;

/** A Vault or Consul that holds configuration. */
export interface RemoteSource {
  kind: 'Vault' | 'Consul';
  /** Without a slash at its end. */
  url: string;
  token: string | undefined;
  namespace: string | undefined;
  /** In Consul. In Vault the place is fixed. */
  key: string;
}

/**
 * Which of Vault and Consul hold configuration, in this order: what Consul has counts before what
 * Vault has, as in CDS. `VAULT_ADDR` and `VAULT_TOKEN` alone name a Vault only where nothing else
 * says where the configuration is. An empty option counts as not given, as in CDS.
 * @param o.hasFiles whether there are configuration files
 * @throws RemoteConfigError
 */
export function remoteSources(
  options: RemoteOptions,
  { hasFiles, env }: { hasFiles: boolean; env: NodeJS.ProcessEnv },
): RemoteSource[] {
  const given: RemoteOptions = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value),
  );
  const sources = [vaultOf(given, env, hasFiles), consulOf(given, env)];
  return sources.filter((source) => source !== undefined);
}

function vaultOf(
  { vaultAddr, vaultToken, remoteConfig }: RemoteOptions,
  env: NodeJS.ProcessEnv,
  hasFiles: boolean,
): RemoteSource | undefined {
  const isNamed = hasFiles || remoteConfig !== undefined;
  const isAsked = vaultAddr !== undefined || vaultToken !== undefined;
  const hasToken = [env.VAULT_TOKEN, env.VAULT_TOKEN_FILE].some(Boolean);
  if (!isAsked && (isNamed || !hasToken || !env.VAULT_ADDR)) return undefined;
  const address = vaultAddr ?? env.VAULT_ADDR;
  if (!address)
    throw new RemoteConfigError(
      '--vault-token is given, and no address of Vault: give --vault-addr, or VAULT_ADDR',
    );
  const token = checked('--vault-token', vaultToken) ?? secretOf(env, 'VAULT_TOKEN');
  if (token === undefined)
    throw new RemoteConfigError(
      '--vault-addr is given, and no token for Vault: give VAULT_TOKEN, VAULT_TOKEN_FILE or --vault-token',
    );
  const name = vaultAddr === undefined ? 'VAULT_ADDR' : '--vault-addr';
  const namespace = env.VAULT_NAMESPACE || undefined;
  return { kind: 'Vault', url: toUrl(name, address, VAULT_EXAMPLE), token, namespace, key: '' };
}

function consulOf(
  { remoteConfig, remoteConfigKey }: RemoteOptions,
  env: NodeJS.ProcessEnv,
): RemoteSource | undefined {
  if (remoteConfig === undefined) {
    if (remoteConfigKey === undefined) return undefined;
    throw new RemoteConfigError(
      '--remote-config-key is given, and no address of Consul: give --remote-config',
    );
  }
  const scheme = /^(1|t|true)$/i.test(env.CONSUL_HTTP_SSL ?? '') ? 'https' : 'http';
  const address = remoteConfig.includes('://') ? remoteConfig : `${scheme}://${remoteConfig}`;
  // Clients of Consul take a slash in front for a mistake, and drop it.
  const key = (remoteConfigKey ?? DEFAULT_CONSUL_KEY).replace(/^\//, '');
  if (key === '' || key.endsWith('/'))
    throw new RemoteConfigError('--remote-config-key has to be the name of a key, no folder');
  return {
    kind: 'Consul',
    url: toUrl('--remote-config', address, CONSUL_EXAMPLE),
    token: secretOf(env, 'CONSUL_HTTP_TOKEN'),
    namespace: env.CONSUL_NAMESPACE || undefined,
    key,
  };
}

const VAULT_EXAMPLE = 'https://vault.example.com:8200';
const CONSUL_EXAMPLE = 'localhost:8500 or https://consul.example.com';

/** Never quotes the address: it may hold a password. */
function toUrl(name: string, address: string, example: string): string {
  const refuse = (reason: string) => new RemoteConfigError(`${name} ${reason}: ${example}`);
  const url = parseUrl(address);
  if (!url) throw refuse('has to be a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refuse('has to be an http:// or https:// URL');
  if (url.username || url.password) throw refuse('may not hold a user name or password');
  if (url.search || url.hash) throw refuse('may not hold a query or fragment');
  return url.href.replace(/(?<!\/)\/+$/, '');
}

/** `NAME`, or the contents of the file that `NAME_FILE` names. */
function secretOf(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const [value, file] = [env[name] || undefined, env[`${name}_FILE`] || undefined];
  if (file === undefined) return checked(name, value);
  if (value !== undefined)
    throw new RemoteConfigError(`${name}_FILE is given beside ${name}: keep one of the two`);
  const read = readSecretFile(file);
  if ('problem' in read) throw new RemoteConfigError(`${name}_FILE ${read.problem}`);
  return checked(`${name}_FILE`, read.value);
}

function checked(name: string, token: string | undefined): string | undefined {
  // What may stand in a header, and nothing that would end it.
  if (token === undefined || /^[!-~]+$/.test(token)) return token;
  throw new RemoteConfigError(`${name} is no token: it holds a space or another character`);
}
