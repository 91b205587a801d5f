import { parentPort } from 'node:worker_threads';
import { doHeavyWork, type WorkMessage } from './heavy-work';

// The program of the thread: one order after the other.
parentPort?.on('message', (message: WorkMessage) => parentPort?.postMessage(doHeavyWork(message)));
