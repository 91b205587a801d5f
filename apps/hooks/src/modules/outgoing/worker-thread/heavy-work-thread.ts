import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { doHeavyWork, type WorkMessage } from './heavy-work';

/**
 * A nice value: a third of the share of a normal thread. The lowest priority gets almost nothing of
 * a machine that is busy otherwise, and what is sound misses its deadline.
 */
const NICE = 5;

// Everybody else's work comes first. On Linux this is of the calling thread alone, elsewhere of the
// process.
if (process.platform === 'linux') setPriority(NICE);

// The program of the thread: one order after the other.
parentPort?.on('message', (message: WorkMessage) => parentPort?.postMessage(doHeavyWork(message)));
