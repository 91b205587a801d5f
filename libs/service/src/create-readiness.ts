import { shareFor } from './http/share-for';

/** Milliseconds for which an answer is shared: several probes may ask every few seconds. */
const SHARED_MS = 1_000;

export type Readiness = ReturnType<typeof createReadiness>;

/**
 * Whether a service takes requests: what `/mon/ready` answers from.
 *
 * @param deps.refusal why the service takes no requests; asked once a second at most. Never rejects
 */
export function createReadiness(deps: {
  refusal: () => Promise<string | undefined>;
  /** Only tests need another. */
  sharedMs?: number | undefined;
}) {
  let isStopping = false;
  const refusal = shareFor(deps.sharedMs ?? SHARED_MS, deps.refusal);
  return {
    /** Why it takes none; undefined where it does. */
    async refusal(): Promise<string | undefined> {
      const why = isStopping ? undefined : await refusal();
      // It may have begun to stop meanwhile.
      return isStopping ? 'the service is stopping' : why;
    },
    /** From now on it is stopping, and never ready again. */
    stop: (): void => void (isStopping = true),
  };
}
