import { parseArgs } from 'node:util';
import { ConfigError, type HooksConfig, loadConfig } from '@cds/config';
import { createLogger, type Logger, runUntilSignal } from '@cds/service';
import { createHooks } from './create-hooks';

/** The configuration and the logger, or the end of the process with all that is wrong on stderr. */
function prepare(): { config: HooksConfig; logger: Logger } {
  let file: string | undefined;
  try {
    file = parseArgs({ options: { config: { type: 'string' } } }).values.config;
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)}\nusage: hooks [--config FILE]\n`,
    );
    process.exit(2);
  }
  try {
    const { hooks: config, warnings } = loadConfig({ services: ['hooks'], file, env: process.env });
    if (!config) throw new Error('the configuration has no section [hooks]');
    const logger = createLogger({ service: 'hooks', level: config.log.level });
    for (const { key, line, message } of warnings) {
      logger.warn({ key, line, problem: message }, 'configuration');
    }
    return { config, logger };
  } catch (error) {
    const lines =
      error instanceof ConfigError
        ? error.problems.map(
            ({ level, key, line, message }) =>
              `${level}: ${key}${line === undefined ? '' : ` (line ${line})`}: ${message}`,
          )
        : [error instanceof Error ? error.message : String(error)];
    process.stderr.write(`${lines.join('\n')}\n`);
    process.exit(1);
  }
}

async function main(): Promise<void> {
  const { config, logger } = prepare();
  try {
    const hooks = await createHooks(config, logger);
    await runUntilSignal({ logger, stop: hooks.stop });
  } catch (error) {
    logger.error({ err: error }, 'hooks could not be started');
    process.exit(1);
  }
}

void main();
