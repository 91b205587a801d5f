// A small service that a spec starts as a process of its own, to send it real signals.
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger, listen, runUntilSignal } from '@cds/service';

const logger = createLogger({ service: 'stoppable', level: 'debug' });

async function main(): Promise<void> {
  const mode = process.env['MODE'];
  const server = await listen(
    (_req, res) => {
      logger.info({}, 'Taken');
      setTimeout(() => res.end('done'), 700);
    },
    { addr: '127.0.0.1', port: 0, logger },
  );
  if (mode === 'throw') setTimeout(() => JSON.parse('{'), 100);
  if (mode === 'reject') void Promise.reject(new Error('nobody cares'));
  const running = runUntilSignal({
    logger,
    deadlineMs: Number(process.env['DEADLINE_MS'] ?? 10_000),
    async stop(deadlineMs) {
      if (mode === 'hang') await sleep(60_000);
      if (mode === 'fail') throw new Error('cannot stop');
      await server.close(deadlineMs);
    },
  });
  // A signal that comes earlier ends the process by itself.
  logger.info({}, 'Ready for signals');
  await running;
}

void main();
