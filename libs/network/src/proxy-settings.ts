import { decoded } from './decoded';
import { parseNoProxy } from './no-proxy';
import { parseUrl } from './parse-url';

/** A proxy of the environment. */
export interface ProxyServer {
  /** `http://proxy.example.com:3128`: for people, without credentials. */
  name: string;
  isTls: boolean;
  host: string;
  port: number;
  /** The value of `Proxy-Authorization`; undefined for a proxy without credentials. */
  authorization: string | undefined;
  /** The variable that names it. */
  variable: string;
}

export interface ProxySettings {
  /** The proxy through which `url` is called; undefined when it is called directly. */
  proxyFor(url: URL): ProxyServer | undefined;
  /** The variables in use, without credentials, for the log. */
  inForce: Readonly<Record<string, string>>;
  /** Entries of `NO_PROXY` that are not understood. */
  unknownExceptions: readonly string[];
}

/** A variable that names no proxy. The message hides its value: that may hold a password. */
export class ProxySettingsError extends Error {
  override readonly name = 'ProxySettingsError';
  constructor(
    readonly variable: string,
    readonly problem: string,
  ) {
    super(`${variable}: ${problem}`);
  }
}

const DEFAULT_PORTS: Readonly<Partial<Record<string, number>>> = { 'http:': 80, 'https:': 443 };

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in capitals or small letters; capitals win, as
 * in Go. This machine is never called through a proxy.
 * @throws ProxySettingsError
 */
export function readProxySettings(env: NodeJS.ProcessEnv): ProxySettings {
  const servers = {
    'https:': readServer(env, 'HTTPS_PROXY'),
    'http:': readServer(env, 'HTTP_PROXY'),
  };
  const [exceptionsName, exceptions] = variableOf(env, 'NO_PROXY');
  const noProxy = parseNoProxy(exceptions);
  const named = [servers['https:'], servers['http:']].filter((server) => server !== undefined);
  const inForce: Record<string, string> = {};
  for (const { variable, name } of named) inForce[variable] = name;
  if (named.length > 0 && exceptions !== '') inForce[exceptionsName] = exceptions;
  return {
    inForce,
    unknownExceptions: noProxy.unknown,
    proxyFor(url) {
      const server = servers[url.protocol as keyof typeof servers];
      const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
      return server && !noProxy.matches(url.hostname, port ?? 0) ? server : undefined;
    },
  };
}

function variableOf(env: NodeJS.ProcessEnv, name: string): [name: string, value: string] {
  for (const variable of [name, name.toLowerCase()]) {
    const value = env[variable]?.trim();
    if (value) return [variable, value];
  }
  return [name, ''];
}

function readServer(env: NodeJS.ProcessEnv, name: string): ProxyServer | undefined {
  const [variable, text] = variableOf(env, name);
  if (text === '') return undefined;
  const refuse = (problem: string) => new ProxySettingsError(variable, problem);
  const whole = text.includes('://') ? text : `http://${text}`;
  const url = parseUrl(whole);
  if (!url) throw refuse('must be the URL of a proxy, as http://host:port');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refuse(
      `must begin with http:// or https://: ${url.protocol}// proxies are not supported`,
    );
  const user = decoded(url.username);
  const password = decoded(url.password);
  if (user === undefined || password === undefined)
    throw refuse('holds a % in its user or password that is no escape: write it as %25');
  return {
    name: url.origin,
    isTls: url.protocol === 'https:',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 80) : Number(url.port),
    authorization:
      user === '' && password === ''
        ? undefined
        : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    variable,
  };
}
