import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { doHeavyWork, type WorkMessage } from './heavy-work';

/**
 * A nice value: a third of the share of a normal thread. With the lowest priority, work on a busy
 * machine would miss its deadline.
 */
const NICE = 5;

// On Linux the priority is of the calling thread, elsewhere of the process.
if (process.platform === 'linux') setPriority(NICE);

parentPort?.on('message', (message: WorkMessage) => parentPort?.postMessage(doHeavyWork(message)));
