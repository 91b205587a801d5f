import { CdsError } from '@cds/wire';
import type { Kind } from '../hook-module';
import { readSettings } from './rabbitmq-settings';

/** Hooks whose workflow runs for every message of a queue. */
export const rabbitmqKind: Kind = {
  keep({ config }) {
    const settings = readSettings(config);
    if ('problem' in settings) throw new CdsError('wrongRequest', { from: settings.problem });
    return { method: '', config };
  },
};
