import type { CallContext } from '../client-types';

export interface AttemptSignal {
  signal: AbortSignal;
  /** Frees the timer and the listener. */
  dispose(): void;
}

/** A signal that is aborted with the caller's, or after `timeoutMs`. */
export function attemptSignal(ctx: CallContext, timeoutMs: number): AttemptSignal {
  // Not AbortSignal.any: on a long-lived signal it keeps every derived one alive (nodejs/node#54614).
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, timeoutMs);
  ctx.signal.addEventListener('abort', abort, { once: true });
  if (ctx.signal.aborted) abort();
  return {
    signal: controller.signal,
    dispose() {
      clearTimeout(timer);
      ctx.signal.removeEventListener('abort', abort);
    },
  };
}
