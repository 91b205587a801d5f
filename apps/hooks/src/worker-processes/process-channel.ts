import type { Server } from 'node:net';

/** What `fork` returns, and `process` in what it started. */
export interface ProcessPort {
  connected?: boolean;
  send?(message: object, handle: Server | undefined, done: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** What one process answers another, by the name of the question. A server is passed by handle. */
export type Answers = Partial<Record<string, (value: never) => unknown>>;

export type ProcessChannel = ReturnType<typeof createProcessChannel>;

interface Message {
  ask?: { id: number; question: string; value: unknown };
  answer?: { id: number; value?: unknown; error?: string; isHandle?: boolean };
}

/** A server that this process listens at, for the other to accept at, too. */
export class SharedServer {
  constructor(readonly server: Server) {}
}

/** Questions and answers between two processes of this service. */
export function createProcessChannel(port: ProcessPort, answers: Answers) {
  const waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (reason: unknown) => void }
  >();
  let last = 0;

  function fail(error: Error): void {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  function send(message: Message, handle?: Server): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!port.connected) return reject(gone());
      port.send?.(message, handle, (error) => (error ? reject(gone(error)) : resolve()));
    });
  }

  async function answer({ id, question, value }: NonNullable<Message['ask']>): Promise<void> {
    try {
      const answered = await answers[question]?.(value as never);
      if (answered instanceof SharedServer)
        await send({ answer: { id, isHandle: true } }, answered.server);
      else await send({ answer: { id, value: answered } });
    } catch (error) {
      await send({ answer: { id, error: error instanceof Error ? error.message : String(error) } });
    }
  }

  port.on('message', (message, handle) => {
    const { ask, answer: answered } = Object(message) as Message;
    // Where the answer cannot be sent, the other process has gone.
    if (ask) answer(ask).catch(() => undefined);
    if (!answered) return;
    const own = waiting.get(answered.id);
    waiting.delete(answered.id);
    if (answered.error !== undefined) own?.reject(new Error(answered.error));
    else own?.resolve(answered.isHandle ? handle : answered.value);
  });
  port.on('disconnect', () => fail(gone()));

  return {
    /** @throws Error with the message of the other process, or when that has gone */
    ask<T>(question: string, value?: unknown): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        const id = (last += 1);
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
        send({ ask: { id, question, value } }).catch(() => {
          waiting.delete(id);
          reject(gone());
        });
      });
    },
  };
}

function gone(cause?: Error): Error {
  return new Error('the other process of this service has gone', { cause });
}
