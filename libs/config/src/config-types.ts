import type { ProxySettings } from '@cds/network';

/** The services that this project provides. */
export const SERVICE_NAMES = ['vcs', 'hooks'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** CDS's names of the log levels. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

export interface HostAndPort {
  host: string;
  port: number;
}

/** Where Redis is: one server, or the Sentinels that know which server is the master of `name`. */
export type RedisAddress =
  ({ kind: 'single' } & HostAndPort) | { kind: 'sentinel'; name: string; sentinels: HostAndPort[] };

export interface RedisConfig {
  /** Empty when Redis asks for none. With Sentinel it is the master's. */
  password: string;
  address: RedisAddress;
  /** Number of the database, from 0. */
  database: number;
  /** Put before the name of every key; empty for none. */
  keyPrefix: string;
}

/** What both services have. */
export interface ServiceConfig {
  name: string;
  /** How the CDS API reaches this service; no slash at the end. */
  url: string;
  http: {
    /** Address to listen on; empty means all. */
    addr: string;
    port: number;
  };
  api: {
    /** Where the CDS API is; no slash at the end. */
    url: string;
    /** Accept any TLS certificate of the API. */
    insecure: boolean;
    token: string;
    requestTimeoutSeconds: number;
    maxHeartbeatFailures: number;
  };
  redis: RedisConfig;
  /** Those of the environment; none when not given. */
  proxies?: ProxySettings;
  log: { level: LogLevel };
}

/** One `[vcs.servers.NAME.bitbucketcloud]`. */
export interface BitbucketServerConfig {
  /** NAME in lower case, which is how CDS knows it. */
  name: string;
  url: string;
  clientId: string;
  clientSecret: string;
  apiUrl: string;
  oauthUrl: string;
  disableWebHooks: boolean;
  disableWebHooksCreation: boolean;
  /** Empty when there is none; no slash at the end. */
  proxyWebhook: string;
  /** Look for pushes when the API asks for them, for workflows that poll. */
  polling: boolean;
  /** Calls that Bitbucket grants the OAuth consumer in any hour; 0 when there is no limit. */
  callsPerHour: number;
  status: { disable: boolean; showDetail: boolean };
}

export interface VcsConfig extends ServiceConfig {
  uiUrl: string;
  /** What the secrets of webhooks are made of: the token where nothing else is configured. */
  webhookKey: string;
  servers: BitbucketServerConfig[];
}

/** Whether deliveries have to be signed; `auto`: as soon as one of the hook was. */
export type SignatureMode = (typeof SIGNATURE_MODES)[number];
export const SIGNATURE_MODES = ['auto', 'required', 'off'] as const;

export interface HooksConfig extends ServiceConfig {
  /** How Bitbucket reaches `/webhook/…`; no slash at the end. */
  urlPublic: string;
  /** Accept deliveries, but start nothing. */
  disable: boolean;
  executionHistory: number;
  retryDelaySeconds: number;
  /** Tries in all. */
  retryError: number;
  branchDeletion: { delaySeconds: number };
  /** How often repositories are looked at for pushes whose webhook never came; 0 is never. */
  reconcile: { intervalSeconds: number };
  http: ServiceConfig['http'] & {
    /** Addresses and networks whose `X-Forwarded-For` is believed. */
    trustedProxies: string[];
    /** Where webhooks alone are served, too. */
    public?: ServiceConfig['http'];
  };
  signature: SignatureMode;
  /** What the secrets of webhooks are made of: the present key, then those before it. Never empty. */
  webhookKeys: string[];
  /** Executions that failed for good, kept for each task. */
  deadLetters: number;
  outgoing: OutgoingConfig;
}

/** Bounds of the calls of outgoing webhooks. */
export interface OutgoingConfig {
  /** Host names, addresses and networks. */
  allow: string[];
  deny: string[];
  timeoutSeconds: number;
  maxRedirects: number;
  maxRequestBytes: number;
  maxLogBytes: number;
}

/** Something wrong, or something to look at, in a configuration. Never holds a secret. */
export interface ConfigProblem {
  /** The key as TOML writes it (`vcs.http.port`), or the name of an environment variable; empty for the file as a whole. */
  key: string;
  /** The file, where several were given. */
  file?: string;
  /** Line in the file, from 1, where known. */
  line?: number;
  message: string;
  level: 'error' | 'warning';
}

export interface LoadedConfig {
  vcs?: VcsConfig;
  hooks?: HooksConfig;
  warnings: ConfigProblem[];
}
