import { CdsApiClient } from '@cds/api-client';
import {
  badConfigExitCode,
  configFromCommandLine,
  type ConfigSources,
  loadConfig,
  publicConfig,
} from '@cds/config';
import { allowSlowConnects } from '@cds/network';
import {
  connectRedis,
  createHashStore,
  createMissingRights,
  redisRefusal,
  vcsKeys,
  watchRedisHealth,
  whenReady,
} from '@cds/redis';
import {
  createKnownHashes,
  createLogger,
  createMetrics,
  createMonitoring,
  createReadiness,
  createRedisMetrics,
  createRegistration,
  createUiUrl,
  limitHeapGrowth,
  listen,
  logConsole,
  runUntilSignal,
  takeSecrets,
  watchSecretFiles,
  versionInfo,
  writeHealthAddress,
} from '@cds/service';
import { startTracing } from '@cds/tracing';
import { isConsumerToken } from '@cds/wire';
import { createApiVersion } from './http/api-version';
import { getApp } from './get-app';
import { answers, redisLine, redisSettingsLines } from './monitoring/redis-line';
import { createState } from './state/create-state';
import { showAlive } from './state/show-alive';

/** How long requests under way may take after a signal. */
const CLOSE_MS = 25_000;
/** The least time after that for grants that are renewed or not in Redis yet. */
const GRANTS_MS = 2_500;
/** How long the first registration waits for Redis. */
const REDIS_READY_MS = 2_000;

async function main(): Promise<void> {
  allowSlowConnects();
  limitHeapGrowth();
  const { config, warnings, sources } = await configFromCommandLine('vcs');
  const { version } = versionInfo();
  const { tracing, logTo } = await startTracing({ service: 'vcs', name: config.name, version });
  const { level } = config.log;
  const logger = createLogger({ service: 'vcs', level, fields: tracing?.logFields });
  logConsole(logger);
  logTo(logger);
  for (const { key, line, message } of warnings)
    logger.warn({ key, line, problem: message }, 'configuration warning');
  if (config.proxies) logger.info(config.proxies.inForce, 'proxies of the environment in use');
  const missingRights = createMissingRights({ logger });
  const redis = connectRedis(
    { redis: config.redis, logger, name: config.name, missingRights },
    'client',
  );
  // A lost grant means that a person has to link the project again.
  const redisHealth = watchRedisHealth(redis, {
    logger,
    loss: 'Redis may lose grants',
    onClusterMode: () => process.exit(badConfigExitCode()),
  });

  const api = new CdsApiClient({ ...config.api, traceHeaders: tracing?.headers });
  const apiVersion = createApiVersion({ api, logger });
  const { maxHeartbeatFailures } = config.api;
  const monitoring = createMonitoring({ maxHeartbeatFailures });
  const metrics = createMetrics({ service: 'vcs' });
  createRedisMetrics(metrics, {
    isUp: () => answers(redis),
    refusal: () => state.whyNoWrites(),
  });
  // Apart, since the keys are public, and a hash is what opens this service.
  const given = isConsumerToken(config.api.token)
    ? vcsKeys.signingKeys
    : vcsKeys.hashes(config.name);
  const hashStore = createHashStore(redis, given);
  const hashes = createKnownHashes({
    logger,
    store: {
      ...hashStore,
      async add(hashes) {
        await state.untilOurs();
        await hashStore.add(hashes);
      },
    },
  });
  const registration = createRegistration({
    api,
    logger,
    identity: { name: config.name, type: 'vcs', url: config.url },
    token: () => config.api.token,
    generation: config.api.generation,
    config: publicConfig('vcs', config),
    monitoring: monitoring.status,
    maxHeartbeatFailures,
    hashes,
    metrics,
    onRefusedForGood(error) {
      logger.error({ err: error }, 'CDS API refuses this service: exiting');
      process.exit(badConfigExitCode());
    },
    onTooManyFailures(error) {
      logger.error({ err: error }, 'CDS API unreachable: exiting');
      void close(GRANTS_MS).finally(() => process.exit(1));
    },
  });
  const { webhookKey } = config;
  const unwatchSecrets = watchSecretFiles({
    ...{ files: config.secretFiles ?? [], logger },
    take: takeSecrets({ service: 'vcs', config, webhookKey }),
  });
  const state = await createState({
    ...{ redis, logger, registration, hashes, hashStore },
    owner: { ...config.api, webhookKey },
  });
  void redisHealth.usable.then(state.start);
  const uiUrl = createUiUrl({ configured: config.uiUrl, api, logger });
  registration.onHeartbeat(() => {
    void apiVersion.refresh();
    void uiUrl.refresh();
  });

  const readiness = createReadiness({
    refusal: async () => state.unreadable() ?? (await redisRefusal(redis, vcsKeys.ready)),
  });
  const { app, start, lines, close } = getApp({
    config,
    uiUrl: uiUrl.get,
    api,
    hooksUrl: configuredHooksUrl(sources, process.env),
    redis,
    logger,
    callers: registration.callers,
    monitoring: monitoring.status,
    metrics,
    readiness,
    apiVersion,
    state,
    proxies: config.proxies,
    tracing,
  });
  monitoring.watch(registration);
  monitoring.add(async () => [
    await redisLine(redis, {
      refusal: () => state.whyNoWrites(),
      missingRights: missingRights.sentence,
    }),
    ...state.lines(),
    ...redisSettingsLines(redisHealth),
    ...(await lines()),
  ]);
  // The API refuses calls before it has taken the registration.
  let hideAlive: () => void = () => undefined;
  void Promise.all([registration.firstRegistration(), state.firstOurs()]).then(() => {
    start();
    hideAlive = showAlive(redis, state.isOurs);
  });
  const server = await listen(app, { ...config.http, logger });
  const { addr } = config.http;
  writeHealthAddress({ service: 'vcs', addr, port: server.port, logger });
  // Otherwise the first registration would report that Redis is away.
  void whenReady(redis, REDIS_READY_MS).then(() => registration.start());

  await runUntilSignal({
    logger,
    drain: { begin: readiness.stop, ms: config.http.stopDelaySeconds * 1_000 },
    async stop() {
      hideAlive();
      unwatchSecrets();
      registration.stop();
      state.stop();
      const tracesMs = tracing?.stopMs ?? 0;
      const endsAt = performance.now() + CLOSE_MS + GRANTS_MS - tracesMs;
      await server.close(CLOSE_MS - tracesMs);
      await close(endsAt - performance.now());
      redis.disconnect();
      await tracing?.stop();
    },
  });
}

/**
 * The `urlPublic` of `hooks`, where the configuration of `vcs` has it. Without it `vcs` learns it
 * from the first webhook that the API creates.
 */
function configuredHooksUrl(sources: ConfigSources, env: NodeJS.ProcessEnv): string | undefined {
  try {
    return loadConfig({ services: ['hooks'], ...sources, env }).hooks?.urlPublic;
  } catch {
    return undefined;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`vcs: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
