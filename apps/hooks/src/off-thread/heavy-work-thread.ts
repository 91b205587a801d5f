import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { doHeavyWork, type WorkMessage } from './heavy-work';

// Everybody else's work comes first. On Linux this is of the calling thread alone, elsewhere of the
// process.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW);

// The program of the thread: one order after the other.
parentPort?.on('message', (message: WorkMessage) => parentPort?.postMessage(doHeavyWork(message)));
