import type { CdsApiClient } from '@cds/api-client';
import type { Logger } from '@cds/service';
import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import type { TargetGuard } from '@cds/network';
import { brokerAddress } from './broker-address';
import { consumeQueue, type MessageFate, type QueueMessage } from './consume-queue';
import type { RabbitmqSettings } from './rabbitmq-settings';

/** How a consumer is doing. */
export type ConsumerState = { kind: 'consuming' } | { kind: 'waiting'; reason: string };

export interface KeepConsumingDeps {
  uuid: string;
  settings: RabbitmqSettings;
  api: Pick<CdsApiClient, 'projectIntegration'>;
  /** Judges the broker's address: whoever may change the project's integrations chose it. */
  guard: TargetGuard;
  take: (message: QueueMessage) => Promise<MessageFate>;
  /** Told whenever it changes. */
  changed: (state: ConsumerState) => void;
  logger: Logger;
  firstPauseMs?: number | undefined;
}

const MAX_PAUSE_MS = 30_000;
/** A connection that was lost sooner counts as a failed try, so that a broker that is coming up is not stormed. */
const WORKED_MS = 5_000;

/**
 * Consumes the queue of a hook until `signal` is aborted, over broken connections, brokers that are away and changes of
 * the integration: its address and password are read from the API for each connection, and kept nowhere.
 */
export async function keepConsuming(deps: KeepConsumingDeps, signal: AbortSignal): Promise<void> {
  const { api, guard, settings, changed, logger, firstPauseMs = 500 } = deps;
  const again = retry(handleAll, {
    maxAttempts: Infinity,
    backoff: new ExponentialBackoff({ initialDelay: firstPauseMs, maxDelay: MAX_PAUSE_MS }),
  });
  let told = '';
  let toldNotBound: string | undefined;

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
        take: deps.take,
        consuming(notBound) {
          consumingSince = performance.now();
          told = '';
          changed({ kind: 'consuming' });
          logger.info({ hook: deps.uuid, queue: settings.queue }, 'a queue is consumed');
          if (notBound !== undefined && notBound !== toldNotBound)
            logger.warn(
              { hook: deps.uuid, ...settings, reason: notBound },
              'a queue is consumed and cannot be bound: bind it to the exchange, or let the user do so',
            );
          toldNotBound = notBound;
        },
        signal,
      });
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      changed({ kind: 'waiting', reason });
      // Once for each reason, not once for each try.
      if (reason !== told)
        logger.warn(
          { hook: deps.uuid, queue: settings.queue, reason },
          'a queue is not consumed: trying again until it works; look at the integration of the project and at the broker',
        );
      told = reason;
      const worked = consumingSince !== undefined && performance.now() - consumingSince > WORKED_MS;
      if (!worked) throw error;
    }
  }

  while (!signal.aborted) await again.execute(session, signal).catch(() => undefined);
}
