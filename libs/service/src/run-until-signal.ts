import type { Logger } from './logs/create-logger';

/** CDS's services have 30 s to end. */
const DEADLINE_MS = 30_000;
/** Left of the deadline when `stop` should be done: for the log and the exit. */
const MAX_MARGIN_MS = 2_000;
/** Set by `engine start`, which keeps our standard input open for as long as it lives. */
const SUPERVISED = 'CDS_BITBUCKET_SUPERVISED';
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
}

/**
 * Ends the process with 0 after `stop`: at SIGTERM or SIGINT, or when its supervisor is gone. With
 * 1 when that fails or takes too long, at a second signal, or at an uncaught error.
 */
export function runUntilSignal({
  logger,
  stop,
  deadlineMs = DEADLINE_MS,
  drain = { begin: () => undefined, ms: 0 },
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

  const onSignal = (signal: NodeJS.Signals): void => {
    if (stoppingSince !== undefined) {
      if (Date.now() - stoppingSince < SAME_SIGNAL_MS) return;
      logger.warn({ signal }, 'second signal: exiting at once');
      process.exit(1);
    }
    stoppingSince = Date.now();
    logger.info({ signal, deadlineMs, drainMs: drain.ms }, 'stopping');
    drain.begin();
    if (drain.ms > 0) setTimeout(end, drain.ms);
    else end();
  };

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  // A supervisor that was killed can pass no signal on: this process would never end.
  if (process.env[SUPERVISED]) process.stdin.resume().once('end', () => onSignal('SIGTERM'));
  const onUncaught = (err: unknown): void => {
    logger.error({ err }, 'uncaught error: exiting');
    process.exit(1);
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  return new Promise<never>(() => undefined);
}
