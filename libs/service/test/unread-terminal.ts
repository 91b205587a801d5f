// A service that logs, once it is told to, more than its log may hold, on a terminal that nobody
// reads.
import { createHttpApp, createLogger, createMonitoring, createRouter, listen } from '@cds/service';
import { DESCRIPTION } from './description';

const LINES = 20_000;
const LINES_A_TURN = 1_000;

const logger = createLogger({ service: 'unread', level: 'info' });
const text = 'a word '.repeat(150);
let said = 0;

function say(): void {
  for (let line = 0; line < LINES_A_TURN; line += 1) logger.info({ text }, 'a line');
  said += LINES_A_TURN;
  if (said < LINES) setTimeout(say, 1);
}

process.once('SIGTERM', () => {
  logger.info({}, 'the last words');
  process.exit(0);
});

async function main(): Promise<void> {
  const open = createRouter();
  open.get('/say', DESCRIPTION, () => (_request, response) => {
    response.end(String(process.pid));
    say();
  });
  const monitoring = createMonitoring({ maxHeartbeatFailures: 1 });
  monitoring.add(() => [{ status: 'OK', component: 'Said', value: String(said), type: '' }]);
  const app = createHttpApp({
    ...{ logger, monitoring: monitoring.status, open, sharedMs: 0 },
    guarded: createRouter(),
    callers: { isAllowed: () => false },
  });
  await listen(app, { addr: '127.0.0.1', port: Number(process.env['PORT']), logger });
  logger.info({}, 'ready');
}

void main();
