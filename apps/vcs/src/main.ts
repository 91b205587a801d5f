import { CdsApiClient } from '@cds/api-client';
import { formatProblem, publicConfig } from '@cds/config';
import { connectRedis, redisHealthWarnings } from '@cds/redis';
import {
  createLogger,
  createMonitoring,
  createRegistration,
  listen,
  runUntilSignal,
  type Logger,
  type Registration,
} from '@cds/service';
import type { Redis } from 'ioredis';
import { createApiVersion } from './api-version';
import { getApp } from './get-app';
import { readConfig } from './read-config';
import { redisLine } from './redis-line';

/** How long requests under way may take after a signal, and new grants on their way into Redis after that. */
const CLOSE_MS = 25_000;
const GRANTS_MS = 2_500;

async function main(): Promise<void> {
  const { config, warnings } = readConfig(process.argv.slice(2), process.env);
  const logger = createLogger({ service: 'vcs', level: config.log.level });
  for (const warning of warnings)
    logger.warn({ problem: formatProblem(warning) }, 'the configuration is not quite right');
  const redis = connectRedis({ redis: config.redis, logger, name: config.name }, 'client');
  warnOfUnsafeRedis(redis, logger);

  const api = new CdsApiClient(config.api);
  const apiVersion = createApiVersion({ api, logger });
  const { maxHeartbeatFailures, token } = config.api;
  const monitoring = createMonitoring({
    registration: {
      get failuresInARow() {
        return registration.failuresInARow;
      },
      get registered() {
        return registration.registered;
      },
    },
    maxHeartbeatFailures,
    extra: async () => [await redisLine(redis)],
  });
  const registration: Registration = createRegistration({
    api,
    logger,
    identity: { name: config.name, type: 'vcs', url: config.url },
    token,
    config: publicConfig('vcs', config),
    monitoring,
    maxHeartbeatFailures,
    onTooManyFailures(error) {
      logger.error({ err: error }, 'the CDS API cannot be reached any more: vcs ends');
      void close(GRANTS_MS).finally(() => process.exit(1));
    },
  });
  registration.onHeartbeat(() => void apiVersion.refresh());

  const { app, close } = getApp({ config, redis, logger, registration, monitoring, apiVersion });
  const server = await listen(app, { ...config.http, logger });
  registration.start();

  await runUntilSignal({
    logger,
    async stop() {
      registration.stop();
      await server.close(CLOSE_MS);
      await close(GRANTS_MS);
      redis.disconnect();
    },
  });
}

/** A lost grant means that a person has to link the project again. */
function warnOfUnsafeRedis(redis: Redis, logger: Logger): void {
  redis.once('ready', () => {
    redisHealthWarnings(redis).then(
      (warnings) => {
        for (const warning of warnings) logger.warn({ warning }, 'Redis may lose grants');
      },
      (error: unknown) => logger.debug({ err: error }, 'could not ask how Redis is set up'),
    );
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`vcs: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
