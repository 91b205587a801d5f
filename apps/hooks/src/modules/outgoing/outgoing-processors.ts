import { setMaxListeners } from 'node:events';
import { createTargetGuard } from '@cds/network';
import type { Processor } from '../../queue/processor';
import type { WorkPeriod } from '../hook-module';
import type { Resources } from '../../resources';
import { createCallTarget } from './call-target';
import { createCallWebhook } from './call-webhook';
import { createCallWorkflow } from './call-workflow';
import { createConcurrencyLimiter } from './concurrency-limiter';
import { type CallHook, refOf } from './hook-call';
import { createProcessOutgoing } from './process-outgoing';
import type { OffThread } from './worker-thread/off-thread';

/**
 * Of this process, which has 200 workers. A target may hold a worker for a minute: deliveries must
 * not wait for targets, nor one project for the targets of another.
 */
const LIMITS = { max: 100, maxPerProject: 20, maxPerHost: 20 };
/** A hook without a slot pauses as long as it has waited, within these and `retryDelay`. */
const [MIN_PAUSE_MS, MAX_PAUSE_MS] = [500, 15_000];

export function createOutgoingProcessors(
  resources: Resources,
  period: WorkPeriod,
  offThread: OffThread,
): Record<'OutgoingWebhook' | 'OutgoingWorkflow', Processor> {
  const { config, now, queues } = resources;
  const { timeoutSeconds, ...rest } = config.outgoing;
  const bounds = { ...rest, timeoutMs: timeoutSeconds * 1_000 };
  const guard = createTargetGuard(config.outgoing);
  const callTarget = createCallTarget({ guard, bounds, proxies: config.proxies });
  // Each call adds a listener: Node.js would warn of a leak from the eleventh on.
  setMaxListeners(0, period.killed);
  const limiter = createConcurrencyLimiter({
    limits: LIMITS,
    // A process that ends has no slot to give: another one takes the hook when its pause ends.
    resume: (hook) => {
      if (!period.ending.aborted) void queues.hooks.resume(hook);
    },
  });

  function processor(kind: 'webhook' | 'workflow', callHook: CallHook): Processor {
    const processOne = createProcessOutgoing(resources, period, { kind, callHook });
    return async (lock, pending) => {
      const { project } = refOf(pending.execution);
      const pauseUntilFree = (host?: string) => {
        const waited = now() - pending.execution.timestamp / 1_000_000;
        const longest = Math.min(MAX_PAUSE_MS, config.retryDelaySeconds * 1_000);
        const pause = Math.max(MIN_PAUSE_MS, Math.min(waited, longest));
        const paused = () => limiter.wait(lock.uuid, project, host);
        return { until: now() + pause, paused };
      };
      const slot = limiter.take(lock.uuid, project);
      if (!slot) return { kind: 'pause', forApi: false, outages: 0, ...pauseUntilFree() };
      try {
        const outcome = await processOne(lock, pending, slot);
        const isForHost = outcome.kind === 'pause' && slot.fullHost !== undefined;
        return isForHost ? { ...outcome, ...pauseUntilFree(slot.fullHost) } : outcome;
      } finally {
        slot.release();
      }
    };
  }

  return {
    OutgoingWebhook: processor('webhook', createCallWebhook({ callTarget, bounds, offThread })),
    OutgoingWorkflow: processor('workflow', createCallWorkflow({ offThread })),
  };
}
