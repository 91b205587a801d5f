import { createTargetGuard } from '@cds/network';
import { countFromZero } from '@cds/service';
import type { MonitoringLine } from '@cds/wire';
import type { Resources } from '../../resources';
import type { QueueMessage } from './consume-queue';
import { createConsumers } from './consumers';
import { keepConsuming } from './keep-consuming';
import { createStoreMessage } from './store-message';

/** Queues that `/mon/status` names because they are not consumed. */
const MAX_NAMED = 50;
const RESULTS = ['stored', 'duplicate', 'returned', 'rejected'] as const;

/** Consumes the queues of RabbitMQ hooks in this process, with metrics and status. */
export function createConsumedQueues(resources: Resources) {
  const { metrics, config } = resources;
  const messages = metrics.counter({
    name: 'cds_hooks_rabbitmq_messages_total',
    help:
      'Messages of RabbitMQ queues, by what became of them; returned: to the broker; rejected: too ' +
      'large.',
    labels: ['result'],
  });
  countFromZero(messages, { result: RESULTS });
  const storeMessage = createStoreMessage(resources, {
    count: (result) => messages.inc({ result }),
    notTaken: (uuid) => consumers.notTaken(uuid),
  });
  const guard = createTargetGuard(config.outgoing);
  const consumers = createConsumers(resources, (hook, changed, signal) => {
    const take = (message: QueueMessage) => storeMessage(hook.uuid, message, signal);
    return keepConsuming(hook, { guard, take, changed }, resources, signal);
  });
  metrics.gauge({
    name: 'cds_hooks_rabbitmq_consumers',
    help: 'Queues of RabbitMQ hooks, by whether this process consumes them or waits to.',
    labels: ['state'],
    collect() {
      const states = [...consumers.states().values()];
      for (const state of ['consuming', 'waiting'] as const)
        this.set({ state }, states.filter((one) => one === state).length);
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
      const waiting = states.flatMap(([uuid, state]) => (state === 'waiting' ? [uuid] : []));
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
