import type { SignatureMode } from '@cds/config';
import type { Clock, DeliveryStore } from '@cds/hooks-store';
import type { Logger, Metrics } from '@cds/service';
import type { AbsentHookDeps } from './absent-hook';
import { createAcceptDelivery } from './accept-delivery';
import { createBodyBudget } from './body-budget';
import { createIntakeMetrics } from './intake-metrics';
import { createRefusalLimit } from './refusal-limit';
import { createRefusalLog } from './refusal-log';
import { createSignatureCheck } from './signature-check';
import { createTakeWebhook } from './handle-webhook';

export interface IntakeDeps extends AbsentHookDeps {
  /** Why nothing may be taken at all; undefined where it may. */
  whyNone: () => string | undefined;
  store: Pick<DeliveryStore, 'lookUp' | 'accept'>;
  mode: SignatureMode;
  /** `webhookKey`, then the ones before it. */
  keys: readonly string[];
  /** Called for a hook that has something to do now: so many deliveries, the new one included. */
  workArrived: (uuid: string, waiting: number) => void;
  metrics: Pick<Metrics, 'counter' | 'histogram'>;
  logger: Logger;
  now: Clock;
}

/** All that takes deliveries in, for whatever serves their route. */
export function createIntake(deps: IntakeDeps) {
  const { mode, keys, logger } = deps;
  const warnOnce = createRefusalLog({ logger });
  const bodies = createBodyBudget();
  const acceptDelivery = createAcceptDelivery({
    ...deps,
    isCrowded: bodies.isCrowded,
    signature: createSignatureCheck({ mode, keys }),
    limit: createRefusalLimit(),
    warnOnce,
  });
  const metrics = createIntakeMetrics(deps);
  return {
    take: createTakeWebhook({ acceptDelivery, bodies, metrics, warnOnce, logger }),
    metrics,
  };
}
