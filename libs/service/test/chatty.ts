// A process whose libraries print plain lines, which a spec reads.
import { createLogger, logConsole } from '@cds/service';

logConsole(createLogger({ service: 'chatty', level: 'debug' }));
const { console: library } = globalThis;
library.warn('IMPORTANT! Eviction policy is %s.', 'allkeys-lru');
library.error(new Error('a library’s error'));
library.log({ of: 'an object' }, 'word '.repeat(2_000));
process.emitWarning('old', { type: 'DeprecationWarning', code: 'DEP0' });
