import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Usage, usageOf } from '../measure/usage';
import { root } from '../../faults/stage/bundles';

/** A process of the bench itself that answers what it is asked. */
export interface Child {
  pid: number;
  /** @throws Error with what went wrong there */
  ask<T>(command: string, argument?: unknown): Promise<T>;
  usage(): Usage;
  stop(): Promise<void>;
}

interface Reply {
  id: number;
  value?: unknown;
  error?: string;
}

/** Starts `processes/NAME.ts`; it is killed when this process exits. */
export async function startChild(name: string): Promise<Child> {
  const child = fork(join(root, 'tools', 'bench', 'processes', `${name}.ts`), [], {
    execArgv: ['--import', 'tsx'],
    env: {
      ...process.env,
      TSX_TSCONFIG_PATH: join(root, 'tsconfig.base.json'),
      NODE_ENV: 'production',
    },
    serialization: 'advanced',
  });
  const pending = new Map<number, (reply: Reply) => void>();
  let last = 0;
  const killWithParent = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithParent);
  const exited = once(child, 'exit').then(() => {
    process.off('exit', killWithParent);
    for (const [id, answer] of pending) answer({ id, error: `${name} ended` });
  });
  child.on('message', (message) => {
    const reply = message as Reply;
    pending.get(reply.id)?.(reply);
    pending.delete(reply.id);
  });
  await once(child, 'spawn');
  const pid = child.pid as number;
  return {
    pid,
    ask<T>(command: string, argument?: unknown) {
      last += 1;
      const id = last;
      return new Promise<T>((resolve, reject) => {
        pending.set(id, ({ value, error }) =>
          error === undefined ? resolve(value as T) : reject(new Error(`${name}: ${error}`)),
        );
        child.send({ id, command, argument });
      });
    },
    usage: () => usageOf(pid),
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
