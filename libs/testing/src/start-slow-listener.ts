import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { waitFor } from './wait-for';

/** An HTTP server that accepts nobody at first: handshakes wait, as after a lost SYN. */
export interface SlowListener {
  port: number;
  /** From now on it accepts; a client's kernel sends its SYN again after one second. */
  accept(): void;
  /** Methods of the requests that came, in their order. */
  requests: string[];
  stop(): Promise<void>;
}

/**
 * In a thread of its own: while it sleeps nothing is accepted, and its short backlog stays full.
 */
const THREAD = `
const { createServer } = require('node:http');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer((request, response) => {
  parentPort.postMessage({ request: request.method });
  response.writeHead(workerData.status, { 'Content-Type': 'application/json' });
  response.end(workerData.body);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage({ port: server.address().port });
  setImmediate(() => Atomics.wait(workerData.gate, 0, 0));
});
`;
/** More than a backlog of 1 takes, on every kernel. */
const FILLERS = 4;

/** @param answer what every request is answered with, once it is accepted */
export async function startSlowListener(answer: {
  status: number;
  body: string;
}): Promise<SlowListener> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const requests: string[] = [];
  let port = 0;
  const worker = new Worker(THREAD, { eval: true, workerData: { ...answer, gate } });
  worker.on('message', (message: { port?: number; request?: string }) => {
    if (message.port !== undefined) port = message.port;
    if (message.request !== undefined) requests.push(message.request);
  });
  await waitFor(() => port > 0, { what: 'the slow listener to listen' });
  const fillers = await fill(port);
  const accept = (): void => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  };
  return {
    port,
    requests,
    accept,
    async stop() {
      for (const socket of fillers) socket.destroy();
      accept();
      await worker.terminate();
    },
  };
}

/** Connects until nobody gets through any more. */
async function fill(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < FILLERS; i += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    sockets.push(socket);
    const connected = once(socket, 'connect').then(() => true);
    const tooLong = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300));
    if (!(await Promise.race([connected, tooLong]))) break;
  }
  return sockets;
}
