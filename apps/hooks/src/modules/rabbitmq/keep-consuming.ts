import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import type { TargetGuard } from '@cds/network';
import type { Resources } from '../../resources';
import { brokerAddress } from './broker-address';
import { consumeQueue, type MessageResult, type QueueMessage } from './consume-queue';
import type { RabbitmqSettings } from './rabbitmq-settings';

export type ConsumerState = 'consuming' | 'waiting';

export interface HookOfQueue {
  uuid: string;
  settings: RabbitmqSettings;
}

const MAX_PAUSE_MS = 30_000;
/** A connection that is lost sooner counts as a failed try, so that the backoff grows. */
const WORKED_MS = 5_000;

/**
 * Consumes the queue of a hook until `signal` is aborted, over broken connections and changes of
 * the integration. Address and password are read from the API for each connection, and stored
 * nowhere.
 */
export async function keepConsuming(
  { uuid, settings }: HookOfQueue,
  deps: {
    /** Checks the broker's address, which users of the project choose. */
    guard: TargetGuard;
    take: (message: QueueMessage) => Promise<MessageResult>;
    changed: (state: ConsumerState) => void;
  },
  { api, logger, timing }: Pick<Resources, 'api' | 'logger' | 'timing'>,
  signal: AbortSignal,
): Promise<void> {
  const { guard, take, changed } = deps;
  const { firstRetryMs: initialDelay = 500 } = timing;
  const again = retry(handleAll, {
    maxAttempts: Infinity,
    backoff: new ExponentialBackoff({ initialDelay, maxDelay: MAX_PAUSE_MS }),
  });
  let logged = '';
  let loggedNotBound: string | undefined;

  async function session(): Promise<void> {
    let consumingSince: number | undefined;
    try {
      const config = await api.projectIntegration(settings.project, settings.integration, signal);
      const broker = brokerAddress(config);
      guard.checkHost(broker.hostname ?? '');
      await consumeQueue({
        broker,
        lookup: guard.lookup,
        settings,
        take,
        consuming(notBound) {
          consumingSince = performance.now();
          logged = '';
          changed('consuming');
          logger.info({ hook: uuid, queue: settings.queue }, 'queue is consumed');
          if (notBound !== undefined && notBound !== loggedNotBound)
            logger.warn(
              { hook: uuid, ...settings, reason: notBound },
              'queue is consumed but cannot be bound: ' +
                'bind it to the exchange, or grant the user that right',
            );
          loggedNotBound = notBound;
        },
        signal,
      });
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      changed('waiting');
      // Once for each reason, not for each try.
      if (reason !== logged)
        logger.warn(
          { hook: uuid, queue: settings.queue, reason },
          'queue is not consumed, it is tried again: ' +
            'check the integration of the project and the broker',
        );
      logged = reason;
      const worked = consumingSince !== undefined && performance.now() - consumingSince > WORKED_MS;
      if (!worked) throw error;
    }
  }

  while (!signal.aborted) await again.execute(session, signal).catch(() => undefined);
}
