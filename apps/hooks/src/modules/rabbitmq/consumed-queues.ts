import type { CdsApiClient } from '@cds/api-client';
import type { Clock, DeliveryStore } from '@cds/hooks-store';
import { countFromZero, type Logger, type Metrics } from '@cds/service';
import type { MonitoringLine } from '@cds/wire';
import type { Redis } from 'ioredis';
import type { TargetGuard } from '@cds/network';
import { type Consumers, createConsumers } from './consumers';
import { keepConsuming } from './keep-consuming';
import { createStoreMessage } from './store-message';
import { createWantedQueues } from './wanted-queues';

export interface ConsumedQueuesDeps {
  redis: Redis;
  api: Pick<CdsApiClient, 'projectIntegration'>;
  guard: TargetGuard;
  store: Pick<DeliveryStore, 'accept'>;
  /** @param waiting pending executions of the hook */
  workArrived: (uuid: string, waiting: number) => void;
  metrics: Pick<Metrics, 'counter' | 'gauge'>;
  logger: Logger;
  now: Clock;
  /** Between two reads of the wanted queues, and before the first retry. */
  timing: { queuesMs?: number | undefined; firstRetryMs?: number | undefined };
}

/** Queues that `/mon/status` names because they are not consumed. */
const MAX_NAMED = 50;
const RESULTS = ['stored', 'duplicate', 'returned', 'rejected'] as const;

/** Consumes the queues of RabbitMQ hooks in this process, with metrics and status. */
export function createConsumedQueues(deps: ConsumedQueuesDeps) {
  const messages = deps.metrics.counter({
    name: 'cds_hooks_rabbitmq_messages_total',
    help: 'Messages of RabbitMQ queues, by what became of them.',
    labels: ['result'],
  });
  countFromZero(messages, { result: RESULTS });
  const storeMessage = createStoreMessage({
    ...deps,
    count: (result) => messages.inc({ result }),
    notTaken: (uuid) => consumers.notTaken(uuid),
  });
  const wanted = createWantedQueues({ redis: deps.redis });
  const consumers: Consumers = createConsumers({
    wanted,
    logger: deps.logger,
    everyMs: deps.timing.queuesMs,
    consume: ({ uuid, settings }, changed, signal) =>
      keepConsuming(
        {
          uuid,
          settings,
          api: deps.api,
          guard: deps.guard,
          take: (message) => storeMessage(uuid, message, signal),
          changed,
          logger: deps.logger,
          firstPauseMs: deps.timing.firstRetryMs,
        },
        signal,
      ),
  });
  deps.metrics.gauge({
    name: 'cds_hooks_rabbitmq_consumers',
    help: 'Queues of RabbitMQ hooks, by whether this process consumes them or waits to.',
    labels: ['state'],
    collect() {
      const states = [...consumers.states().values()];
      for (const state of ['consuming', 'waiting'] as const)
        this.set({ state }, states.filter(({ kind }) => kind === state).length);
    },
  });

  return {
    taskHandler: consumers.taskHandler,
    start: consumers.start,
    stop: consumers.stop,

    /** Known without Redis. The reasons stand in the log only, since strangers may read this. */
    statusLines(): MonitoringLine[] {
      const states = [...consumers.states()];
      if (states.length === 0) return [];
      const waiting = states.flatMap(([uuid, { kind }]) => (kind === 'waiting' ? [uuid] : []));
      const consumed = `${states.length - waiting.length} of ${states.length} consumed`;
      return [
        { component: 'RabbitMQ Queues', value: consumed, status: 'OK', type: '' },
        ...waiting.slice(0, MAX_NAMED).map((uuid) => ({
          component: `RabbitMQ Queue ${uuid}`,
          value: 'not consumed yet: the log says why',
          status: 'WARN' as const,
          type: '',
        })),
      ];
    },
  };
}
