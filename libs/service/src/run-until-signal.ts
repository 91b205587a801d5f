import { SUPERVISED } from '@cds/config';
import type { Logger } from './logs/create-logger';

/** CDS's services have 30 s to end. */
const DEADLINE_MS = 30_000;
/** Left of the deadline when `stop` should be done: for the log and the exit. */
const MAX_MARGIN_MS = 2_000;
/** Ctrl-C reaches a whole group of processes, and a supervisor passes it on: that is one signal. */
const SAME_SIGNAL_MS = 1_000;

export interface RunUntilSignalOptions {
  logger: Logger;
  /** Ends the service in the milliseconds given. */
  stop: (deadlineMs: number) => Promise<void>;
  /** Milliseconds, 30,000 when not given. */
  deadlineMs?: number | undefined;
  /** Called at the signal. The service goes on for `ms` more, so that others see that it ends. */
  drain?: { begin: () => void; ms: number };
  /** In a worker process: the process that started it. */
  mainProcess?: { asksToStop: Promise<unknown>; gone: Promise<unknown> } | undefined;
}

/**
 * Ends the process with 0 after `stop`: at SIGTERM or SIGINT, or when its supervisor or main
 * process is gone. With 1 when that fails or takes too long, at a second signal, or at an uncaught
 * error.
 */
export function runUntilSignal({
  logger,
  stop,
  deadlineMs = DEADLINE_MS,
  drain = { begin: () => undefined, ms: 0 },
  mainProcess,
}: RunUntilSignalOptions): Promise<never> {
  let stoppingSince: number | undefined;

  function end(): void {
    setTimeout(() => {
      logger.error({ deadlineMs }, 'not stopped in time: exiting');
      process.exit(1);
    }, deadlineMs);
    stop(deadlineMs - Math.min(MAX_MARGIN_MS, deadlineMs / 10)).then(
      () => {
        logger.info({}, 'stopped');
        process.exit(0);
      },
      (err: unknown) => {
        logger.error({ err }, 'stopping failed');
        process.exit(1);
      },
    );
  }

  /** @returns whether it was not stopping yet */
  function begin(reason: object, drainMs: number): boolean {
    if (stoppingSince !== undefined) return false;
    stoppingSince = Date.now();
    logger.info({ ...reason, deadlineMs, drainMs }, 'stopping');
    drain.begin();
    if (drainMs > 0) setTimeout(end, drainMs);
    else end();
    return true;
  }

  const onSignal = (signal: NodeJS.Signals): void => {
    if (begin({ signal }, drain.ms)) return;
    if (Date.now() - (stoppingSince ?? 0) < SAME_SIGNAL_MS) return;
    logger.warn({ signal }, 'second signal: exiting at once');
    process.exit(1);
  };

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  // A supervisor that was killed can pass no signal on: this process would never end.
  void mainProcess?.asksToStop.then(() => begin({ asked: 'main process' }, drain.ms));
  // At once, since the port is to be free for its successor.
  void mainProcess?.gone.then(() => begin({ gone: 'main process' }, 0));
  if (process.env[SUPERVISED]) process.stdin.resume().once('end', () => onSignal('SIGTERM'));
  const onUncaught = (err: unknown): void => {
    logger.error({ err }, 'uncaught error: exiting');
    process.exit(1);
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  return new Promise<never>(() => undefined);
}
