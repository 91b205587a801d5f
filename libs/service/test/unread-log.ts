// A process that logs more than its log may hold, and answers on standard error while nobody reads
// it.
import { createLogger } from '@cds/service';

const logger = createLogger({ service: 'unread', level: 'info' });
const text = 'a word '.repeat(150);
let turns = 0;
const logging = setInterval(() => {
  for (let line = 0; line < 1_000; line += 1) logger.info({ text }, 'a line');
  turns += 1;
  if (turns === 20) {
    clearInterval(logging);
    process.stderr.write('all said\n');
  }
}, 1);
process.once('SIGTERM', () => {
  logger.info({}, 'the last words');
  process.exit(0);
});
setInterval(() => undefined, 1_000);
