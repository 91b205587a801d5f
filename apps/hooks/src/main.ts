import { badConfigExitCode, configFromCommandLine } from '@cds/config';
import { allowSlowConnects } from '@cds/network';
import {
  createLogger,
  limitHeapGrowth,
  logConsole,
  runUntilSignal,
  versionInfo,
  writeHealthAddress,
} from '@cds/service';
import { startTracing } from '@cds/tracing';
import { createHooks } from './hooks-service';
import { followMainProcess } from './worker-processes/follow-main-process';

async function main(): Promise<void> {
  allowSlowConnects();
  limitHeapGrowth();
  const { config, warnings } = await configFromCommandLine('hooks');
  const { version } = versionInfo();
  const { tracing, logTo } = await startTracing({ service: 'hooks', name: config.name, version });
  const { level } = config.log;
  const mainProcess = followMainProcess();
  const worker = mainProcess && { worker: mainProcess.worker };
  const fields = () => ({ ...worker, ...tracing?.logFields() });
  const logger = createLogger({ service: 'hooks', level, fields });
  logConsole(logger);
  logTo(logger);
  for (const { key, line, message } of warnings)
    logger.warn({ key, line, problem: message }, 'configuration warning');
  if (config.proxies)
    logger.info(config.proxies.inForce, 'proxies of the environment are in force');
  try {
    const onUnusable = () => process.exit(badConfigExitCode());
    const hooks = await createHooks(config, logger, {}, onUnusable, tracing, mainProcess);
    const { addr } = config.http;
    writeHealthAddress({ service: 'hooks', addr, port: hooks.port, logger });
    const drain = { begin: hooks.drain, ms: config.http.stopDelaySeconds * 1_000 };
    const stop = async (deadlineMs: number) => {
      await hooks.stop(deadlineMs - (tracing?.stopMs ?? 0));
      await tracing?.stop();
    };
    await runUntilSignal({ logger, drain, stop, mainProcess });
  } catch (error) {
    logger.error({ err: error }, 'failed to start hooks');
    process.exit(1);
  }
}

void main();
