import { InterpolateError } from '@cds/interpolate';
import type { Worker } from 'node:worker_threads';
import { doSmallWork } from './do-small-work';
import { createFairQueue, type FairQueueLimits } from './fair-queue';
import type { OrderOf, ResultOf, WorkMessage, WorkName, WorkReply } from './heavy-work';
import { startThread } from './start-thread';

/**
 * What is bounded in itself takes less by far; a machine that does ten other things has its time,
 * too.
 */
const DEADLINE_MS = 30_000;
/**
 * Orders that wait. Fewer executions of one project are under way at once, and of all: this is a
 * bound of memory alone.
 */
const LIMITS: FairQueueLimits = { max: 1_000, maxPerOwner: 100 };
/** An idle thread takes ten megabytes. */
const IDLE_MS = 60_000;

/**
 * The thread did not come to an end with one order: it took too long, or too much memory. Another
 * try is a new thread.
 */
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
 * Does what may take long for one user's data in a thread of its own, so that everybody else goes
 * on. One thread, begun when it is needed first, for one order after the other; what does not end
 * within the deadline ends with its thread. Projects take turns: an order waits for one of each
 * other project at most, and for those of its own.
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
        // A machine without memory or process ids for a thread: this order fails, the next one
        // tries again.
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

    /** Ends the thread; what is under way is not waited for. */
    stop(): void {
      end('the service ends');
      for (const { reject } of waiting.drain()) reject(new OffThreadError('the service ends'));
    },
  };
}
