import { setMaxListeners } from 'node:events';
import type { OutgoingConfig } from '@cds/config';
import { type ProxySettings, createTargetGuard } from '@cds/network';
import type { Processor } from '../../queue/processor';
import type { OffThread } from './worker-thread/off-thread';
import { createCallTarget } from './call-target';
import { createCallWebhook } from './call-webhook';
import { createCallWorkflow } from './call-workflow';
import { createConcurrencyLimiter } from './concurrency-limiter';
import { type CallHook, refOf } from './hook-call';
import {
  createProcessOutgoing,
  type ProcessOutgoing,
  type ProcessOutgoingDeps,
} from './process-outgoing';

export interface OutgoingMetrics {
  executionEnded: NonNullable<ProcessOutgoingDeps['ended']>;
  outgoingCalled(kind: 'webhook' | 'workflow', result: 'success' | 'failed' | 'nothing'): void;
}

export interface OutgoingProcessorsDeps extends Omit<
  ProcessOutgoingDeps,
  'callHook' | 'ended' | 'called'
> {
  proxies: ProxySettings | undefined;
  offThread: OffThread;
  /** Resumes the paused job of a hook. Never throws. */
  resume: (hook: string) => void;
  metrics: OutgoingMetrics;
}

/**
 * Of this process, which has 200 workers. A target may hold a worker for a minute: deliveries must
 * not wait for targets, nor one project for the targets of another.
 */
const LIMITS = { max: 100, maxPerProject: 20, maxPerHost: 20 };
/** A hook without a slot pauses as long as it has waited, within these and `retryDelay`. */
const [MIN_PAUSE_MS, MAX_PAUSE_MS] = [500, 15_000];

export function createOutgoingProcessors(
  config: OutgoingConfig,
  { metrics, proxies, offThread, resume, ...deps }: OutgoingProcessorsDeps,
): Record<'OutgoingWebhook' | 'OutgoingWorkflow', Processor> {
  const { timeoutSeconds, ...rest } = config;
  const bounds = { ...rest, timeoutMs: timeoutSeconds * 1_000 };
  const callTarget = createCallTarget({ guard: createTargetGuard(config), bounds, proxies });
  const nowIso = () => new Date(deps.now()).toISOString();
  // Each call adds a listener: Node.js would warn of a leak from the eleventh on.
  setMaxListeners(0, deps.killed);
  const limiter = createConcurrencyLimiter({
    limits: LIMITS,
    // A process that ends has no slot to give: another one takes the hook when its pause ends.
    resume: (hook) => {
      if (!deps.ending.aborted) resume(hook);
    },
  });
  const limited =
    (processOne: ProcessOutgoing): Processor =>
    async (lock, pending) => {
      const { project } = refOf(pending.execution);
      const pauseUntilFree = (host?: string) => {
        const waited = deps.now() - pending.execution.timestamp / 1_000_000;
        const pause = Math.max(MIN_PAUSE_MS, Math.min(waited, MAX_PAUSE_MS, deps.retryDelayMs));
        const paused = () => limiter.wait(lock.uuid, project, host);
        return { until: deps.now() + pause, paused };
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
  const processor = (kind: 'webhook' | 'workflow', callHook: CallHook): Processor =>
    limited(
      createProcessOutgoing({
        ...deps,
        callHook,
        ended: metrics.executionEnded,
        called: (result) => metrics.outgoingCalled(kind, result),
      }),
    );
  return {
    OutgoingWebhook: processor(
      'webhook',
      createCallWebhook({ callTarget, bounds, nowIso, offThread }),
    ),
    OutgoingWorkflow: processor('workflow', createCallWorkflow({ offThread })),
  };
}
