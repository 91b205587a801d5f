import { badConfigExitCode, configFromCommandLine } from '@cds/config';
import { allowSlowConnects } from '@cds/network';
import { createLogger, logConsole, runUntilSignal } from '@cds/service';
import { createHooks } from './hooks-service';

async function main(): Promise<void> {
  allowSlowConnects();
  const { config, warnings } = await configFromCommandLine('hooks');
  const logger = createLogger({ service: 'hooks', level: config.log.level });
  logConsole(logger);
  for (const { key, line, message } of warnings)
    logger.warn({ key, line, problem: message }, 'configuration warning');
  if (config.proxies)
    logger.info(config.proxies.inForce, 'proxies of the environment are in force');
  try {
    const hooks = await createHooks(config, logger, {}, () => process.exit(badConfigExitCode()));
    const drain = { begin: hooks.drain, ms: config.http.stopDelaySeconds * 1_000 };
    await runUntilSignal({ logger, drain, stop: hooks.stop });
  } catch (error) {
    logger.error({ err: error }, 'failed to start hooks');
    process.exit(1);
  }
}

void main();
