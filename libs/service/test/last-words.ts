// A process that logs a line and ends, which a spec starts to read what is left of it.
import { createLogger } from '@cds/service';

createLogger({ service: 'last-words', level: 'info' }).info('the last words');
if (process.env['MODE'] === 'exit') process.exit(3);
if (process.env['MODE'] === 'throw') throw new Error('broken');
