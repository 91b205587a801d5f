import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Attack {
  port: number;
  connections: number;
  /** The bytes of one request, which is sent so many times at once on each connection. */
  request: string;
  perConnection: number;
  /** Whether answers are read, and the next request is sent after each. */
  reads: boolean;
  /** Whether a connection that was closed is opened again. */
  comesBack: boolean;
}

export interface HostileCounts {
  opened: number;
  /** Requests that were sent. */
  asked: number;
  /** Answers that were read. */
  answers: number;
  closed: number;
}

export interface HostileClient {
  /** Resolves when all connections are on their way; the attack goes on. */
  attack(order: Attack): Promise<void>;
  counts(): Promise<HostileCounts>;
  /** Ends the attack, and reads whatever the connections still hold. */
  read(): Promise<HostileCounts>;
  stop(): Promise<void>;
}

/** Somebody in a process of its own, whose memory and work are not those of the test. */
export async function startHostileClient(): Promise<HostileClient> {
  const child = fork(join(__dirname, 'hostile-client.cjs'), { execArgv: [] });
  await once(child, 'spawn');
  let last = 0;

  async function tell<T>(command: string, argument?: unknown): Promise<T> {
    last += 1;
    const id = last;
    return new Promise<T>((resolve, reject) => {
      const end = (): void => {
        child.off('message', hear);
        child.off('exit', fail);
      };
      const fail = (): void => {
        end();
        reject(new Error('the hostile client ended by itself'));
      };
      const hear = (message: unknown): void => {
        const reply = message as { id: number; value: T };
        if (reply.id !== id) return;
        end();
        resolve(reply.value);
      };
      child.on('message', hear).on('exit', fail);
      child.send({ id, command, argument });
    });
  }

  return {
    attack: (order) => tell('attack', order),
    counts: () => tell('counts'),
    read: () => tell('read'),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
