// The service as a process, but a killed one counts as dead after a second.
import { configFromCommandLine } from '@cds/config';
import { createLogger, runUntilSignal } from '@cds/service';
import { createHooks } from '../src/hooks-service';
import { QUICK } from './quick';

async function main(): Promise<void> {
  const { config } = await configFromCommandLine('hooks');
  const logger = createLogger({ service: 'hooks', level: config.log.level });
  const hooks = await createHooks(config, logger, { ...QUICK, lockMs: 1_000 });
  await runUntilSignal({ logger, stop: hooks.stop });
}

void main();
