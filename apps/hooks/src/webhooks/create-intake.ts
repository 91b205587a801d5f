import type { SignatureMode } from '@cds/config';
import type { Clock } from '@cds/hooks-store';
import type { Logger, Metrics } from '@cds/service';
import type { DeliveryStore } from '../executions/delivery-store';
import { createAcceptDelivery } from './accept-delivery';
import { createIntakeMetrics } from './intake-metrics';
import { createRefusalLimit } from './refusal-limit';
import { createRefusalLog } from './refusal-log';
import { createSignatureCheck } from './signature-check';

export interface IntakeDeps {
  store: Pick<DeliveryStore, 'lookUp' | 'accept'>;
  mode: SignatureMode;
  /** `webhookKey`, then the ones before it. */
  keys: readonly string[];
  /** Called for a hook that has something to do now. */
  workArrived: (uuid: string) => void;
  metrics: Pick<Metrics, 'counter' | 'histogram'>;
  logger: Logger;
  now: Clock;
}

/** All that takes deliveries in, for the webhook router. */
export function createIntake(deps: IntakeDeps) {
  const { mode, keys, logger } = deps;
  const warnOnce = createRefusalLog({ logger });
  const acceptDelivery = createAcceptDelivery({
    ...deps,
    signature: createSignatureCheck({ mode, keys }),
    limit: createRefusalLimit(),
    warnOnce,
  });
  return { acceptDelivery, warnOnce, metrics: createIntakeMetrics(deps) };
}
