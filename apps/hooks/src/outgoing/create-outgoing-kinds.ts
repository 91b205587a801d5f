import { setMaxListeners } from 'node:events';
import type { OutgoingConfig } from '@cds/config';
import type { ProxySettings } from '@cds/network';
import type { WorkOff } from '../kinds/work-off-by-kind';
import type { OffThread } from '../off-thread/create-off-thread';
import type { WorkMetrics } from '../monitoring/work-metrics';
import { createCallTarget } from './call-target';
import { createCallWebhook } from './call-webhook';
import { createCallWorkflow } from './call-workflow';
import type { CallHook } from './hook-call';
import { createTargetGuard } from './target-guard';
import { createWorkOffOutgoing, type WorkOffOutgoingDeps } from './work-off-outgoing';

export interface OutgoingKindsDeps extends Omit<
  WorkOffOutgoingDeps,
  'callHook' | 'ended' | 'called'
> {
  /** Through which targets are called; none when not given. */
  proxies: ProxySettings | undefined;
  offThread: OffThread;
  metrics: Pick<WorkMetrics, 'executionEnded' | 'outgoingCalled'>;
}

/** Executions of outgoing hooks under way in this process. */
const MOST_AT_ONCE = 100;
const FULL_PAUSE_MS = 300;

/** What works off the outgoing hooks of each kind. */
export function createOutgoingKinds(
  config: OutgoingConfig,
  { metrics, proxies, offThread, ...deps }: OutgoingKindsDeps,
): Record<'OutgoingWebhook' | 'OutgoingWorkflow', WorkOff> {
  const { timeoutSeconds, ...rest } = config;
  const bounds = { ...rest, timeoutMs: timeoutSeconds * 1_000 };
  const callTarget = createCallTarget({ guard: createTargetGuard(config), bounds, proxies });
  const nowIso = () => new Date(deps.now()).toISOString();
  // Each call listens to it: Node.js would warn of a leak from the eleventh on.
  setMaxListeners(0, deps.killed);
  let underWay = 0;
  /** Hooks have 200 workers, and a target may hold one for a minute: deliveries must not wait for targets. */
  const bounded =
    (workOffOne: WorkOff): WorkOff =>
    async (claim, head) => {
      if (underWay >= MOST_AT_ONCE) {
        return { kind: 'pause', until: deps.now() + FULL_PAUSE_MS, forApi: false, outages: 0 };
      }
      underWay++;
      try {
        return await workOffOne(claim, head);
      } finally {
        underWay--;
      }
    };
  const workOff = (kind: 'webhook' | 'workflow', callHook: CallHook): WorkOff =>
    bounded(
      createWorkOffOutgoing({
        ...deps,
        callHook,
        ended: metrics.executionEnded,
        called: (result) => metrics.outgoingCalled(kind, result),
      }),
    );
  return {
    OutgoingWebhook: workOff(
      'webhook',
      createCallWebhook({ callTarget, bounds, nowIso, offThread }),
    ),
    OutgoingWorkflow: workOff('workflow', createCallWorkflow({ offThread })),
  };
}
