import { CdsError } from '@cds/wire';
import type { HookModule } from '../hook-module';
import { createConsumedQueues } from './consumed-queues';
import { planMessage } from './plan-message';
import { readSettings } from './rabbitmq-settings';

export const rabbitmq: HookModule = {
  types: ['RabbitMQ'],
  normalize({ config }) {
    const settings = readSettings(config);
    if ('problem' in settings) throw new CdsError('wrongRequest', { from: settings.problem });
    return { method: '', config };
  },
  plan({ execution: { rabbitmq } }) {
    return planMessage(Buffer.from(rabbitmq?.message ?? '', 'base64'));
  },
  create(resources) {
    let isStarted = false;
    const consumed = createConsumedQueues(resources);
    return {
      tasks: { RabbitMQ: consumed.taskHandler },
      start() {
        isStarted = true;
        // The API knows where the brokers are.
        void resources.registration.firstRegistration().then(() => isStarted && consumed.start());
      },
      stop() {
        isStarted = false;
        return consumed.stop();
      },
      statusLines: consumed.statusLines,
    };
  },
};
