import { InterpolateError } from '@cds/interpolate';
import type { Worker } from 'node:worker_threads';
import { doSmallWork } from './do-small-work';
import { createFairQueue } from './fair-queue';
import type { OrderOf, ResultOf, WorkMessage, WorkName, WorkReply } from './heavy-work';
import { startThread } from './start-thread';

/** Bounded work takes far less, also on a busy machine. */
const DEADLINE_MS = 30_000;
/** Orders that wait. Bounds the memory alone: fewer executions run at once. */
const LIMITS = { max: 1_000, maxPerOwner: 100 };
/** An idle thread takes ten megabytes. */
const IDLE_MS = 60_000;

/** The thread took too long for one order, or too much memory. Another try starts a new thread. */
export class OffThreadError extends Error {
  override readonly name = 'OffThreadError';
}

interface Order {
  message: WorkMessage;
  resolve: (reply: WorkReply) => void;
  reject: (error: unknown) => void;
}

export type OffThread = ReturnType<typeof createOffThread>;

/**
 * Does work that may take long in a thread, so that it does not block the event loop. One thread,
 * started on demand, does one order after the other; an order that misses the deadline ends with
 * its thread. Projects take turns.
 */
export function createOffThread({
  deadlineMs = DEADLINE_MS,
  idleMs = IDLE_MS,
  limits = LIMITS,
  start = startThread,
} = {}) {
  const waiting = createFairQueue<Order>(limits);
  let thread: Worker | undefined;
  let underWay: Order | undefined;
  let timer: NodeJS.Timeout | undefined;

  function end(reason?: string): void {
    clearTimeout(timer);
    void thread?.terminate();
    thread = undefined;
    const order = underWay;
    underWay = undefined;
    if (reason !== undefined) order?.reject(new OffThreadError(reason));
  }

  function begun(): Worker {
    const started = start();
    started.unref();
    started.on('message', (reply: WorkReply) => {
      if (started !== thread) return;
      clearTimeout(timer);
      const order = underWay;
      underWay = undefined;
      order?.resolve(reply);
      goOn();
    });
    const broke = (error: Error): void => {
      if (started !== thread) return;
      const { code = '' } = error as NodeJS.ErrnoException;
      end(code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it takes too much memory' : error.message);
      goOn();
    };
    started.on('error', broke);
    started.on('exit', () => broke(new Error('its thread ended')));
    return started;
  }

  function goOn(): void {
    while (!underWay) {
      clearTimeout(timer);
      underWay = waiting.shift();
      if (!underWay) {
        timer = setTimeout(() => end(), idleMs).unref();
        return;
      }
      timer = setTimeout(() => {
        end(`it takes more than ${deadlineMs / 1_000} s`);
        goOn();
      }, deadlineMs).unref();
      try {
        thread ??= begun();
        thread.postMessage(underWay.message);
      } catch (error) {
        // No memory or process id for a thread: this order fails, the next one tries again.
        end(`its thread does not start: ${(error as Error).message}`);
      }
    }
  }

  return {
    /**
     * @param project whose data it is
     * @throws InterpolateError, OffThreadError
     */
    async run<Name extends WorkName>(
      name: Name,
      order: OrderOf<Name>,
      project: string,
    ): Promise<ResultOf<Name>> {
      const small = doSmallWork(name, order);
      if (small !== undefined) return small;
      const reply = await new Promise<WorkReply>((resolve, reject) => {
        const isTaken = waiting.push(project, { message: { name, order }, resolve, reject });
        if (isTaken) goOn();
        else reject(new OffThreadError('too much of its project waits already'));
      });
      if ('refused' in reply) throw new InterpolateError(reply.refused);
      return reply.result as ResultOf<Name>;
    },

    /** Ends the thread without waiting for its work. */
    stop(): void {
      end('the service ends');
      for (const { reject } of waiting.drain()) reject(new OffThreadError('the service ends'));
    },
  };
}
