import {
  SIGNATURE_MODES,
  type HooksConfig,
  type LogLevel,
  type ServiceConfig,
  type ServiceName,
  type VcsConfig,
} from '../config-types';
import { DEFAULT_SERVER, LOG_SECTIONS, SERVICE_SECTIONS } from '../descriptors';
import { findTable } from '../toml/toml-tree';
import { parseLogLevel } from '../values/log-level';
import { parseRedisAddress } from '../values/redis-address';
import type { ConfigValues } from './config-values';
import { readSections } from './read-sections';
import { readServers } from './read-servers';
import { report, type Reading } from './reading';

/** `[log] level`, common to all services. */
export function readLogLevel(reading: Reading): LogLevel {
  return parseLogLevel(readSections(reading, LOG_SECTIONS).text('log.level')) ?? 'info';
}

/** All of `[vcs]`. What is wrong is reported; the result is only to be used when nothing is. */
export function readVcs(reading: Reading, level: LogLevel): VcsConfig {
  const sections = SERVICE_SECTIONS.vcs.filter(({ path }) => !path.includes(DEFAULT_SERVER));
  const values = readSections(reading, sections);
  return {
    ...common(values, 'vcs', level),
    uiUrl: values.text('vcs.UI.http.url'),
    webhookKey: webhookKey(reading, values, 'vcs'),
    servers: readServers(reading),
  };
}

/** All of `[hooks]`. What is wrong is reported; the result is only to be used when nothing is. */
export function readHooks(reading: Reading, level: LogLevel): HooksConfig {
  const values = readSections(reading, SERVICE_SECTIONS.hooks);
  const service = common(values, 'hooks', level);
  const urlPublic = values.text('hooks.urlPublic');
  if (urlPublic === '')
    report(
      reading,
      'warning',
      findTable(reading.file, ['hooks'])?.children.get('urlpublic') ?? { key: 'hooks.urlPublic' },
      'is empty: webhooks get hooks.URL, which Bitbucket must then be able to reach',
    );
  return {
    ...service,
    urlPublic: urlPublic || service.url,
    disable: values.boolean('hooks.disable'),
    executionHistory: values.number('hooks.executionHistory'),
    retryDelaySeconds: values.number('hooks.retryDelay'),
    retryError: values.number('hooks.retryError'),
    branchDeletion: { delaySeconds: values.number('hooks.branchDeletion.delay') },
    reconcile: { intervalSeconds: values.number('hooks.reconcile.interval') },
    http: {
      ...service.http,
      trustedProxies: values.texts('hooks.http.trustedProxies'),
      ...publicListener(values),
    },
    signature:
      SIGNATURE_MODES.find((mode) => mode === values.text('hooks.signature')) ?? 'required',
    webhookKeys: [
      webhookKey(reading, values, 'hooks'),
      ...values.texts('hooks.previousWebhookKeys'),
    ],
    deadLetters: values.number('hooks.deadLetters'),
    outgoing: {
      allow: values.texts('hooks.outgoing.allow'),
      deny: values.texts('hooks.outgoing.deny'),
      timeoutSeconds: values.number('hooks.outgoing.timeout'),
      maxRedirects: values.number('hooks.outgoing.maxRedirects'),
      maxRequestBytes: values.number('hooks.outgoing.maxRequestBytes'),
      maxLogBytes: values.number('hooks.outgoing.maxLogBytes'),
    },
  };
}

function publicListener(values: ConfigValues): Pick<HooksConfig['http'], 'public'> {
  const port = values.number('hooks.http.publicPort');
  return port === 0 ? {} : { public: { addr: values.text('hooks.http.publicAddr'), port } };
}

/** Shorter keys can be guessed from one delivery, by trying. */
const SHORT_KEY = 16;

function webhookKey(reading: Reading, values: ConfigValues, service: ServiceName): string {
  const key = values.text(`${service}.webhookKey`);
  if (key !== '' && key.length < SHORT_KEY)
    report(
      reading,
      'warning',
      findTable(reading.file, [service])?.children.get('webhookkey') ?? {
        key: `${service}.webhookKey`,
      },
      'is short: take 32 random characters or more, `openssl rand -hex 32` prints some',
    );
  return key || values.text(`${service}.api.token`);
}

function common(values: ConfigValues, service: ServiceName, level: LogLevel): ServiceConfig {
  return {
    name: values.text(`${service}.name`),
    url: values.text(`${service}.URL`),
    http: {
      addr: values.text(`${service}.http.addr`),
      port: values.number(`${service}.http.port`),
    },
    api: {
      url: values.text(`${service}.api.http.url`),
      insecure: values.boolean(`${service}.api.http.insecure`),
      token: values.text(`${service}.api.token`),
      requestTimeoutSeconds: values.number(`${service}.api.requestTimeout`),
      maxHeartbeatFailures: values.number(`${service}.api.maxHeartbeatFailures`),
    },
    redis: {
      password: values.text(`${service}.cache.redis.password`),
      address: parseRedisAddress(values.text(`${service}.cache.redis.host`)) ?? {
        kind: 'single',
        host: 'localhost',
        port: 6379,
      },
      database: values.number(`${service}.cache.redis.dbindex`),
      keyPrefix: values.text(`${service}.cache.redis.keyPrefix`),
    },
    log: { level },
  };
}
