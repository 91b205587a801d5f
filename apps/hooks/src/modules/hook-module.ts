import type { HookConfig } from '@cds/wire';
import type { DeliveryValidator } from './incoming-delivery';

/** A hook as it came, as far as a kind looks at it. */
export interface HookToKeep {
  uuid: string;
  config: HookConfig;
}

/** What is kept of a hook beside its uuid and type. */
export interface KeptHook {
  /** Of the requests that its webhook takes; empty for hooks that take none. */
  method: string;
  config: HookConfig | null;
}

/** One kind of hook: what of it needs neither Redis nor the API. One entry of the table in `kinds.ts`. */
export interface Kind {
  /** Why one hook of a kind that is served cannot be started, for the operator to read; undefined when it can. */
  refusal?(config: HookConfig | null): string | undefined;
  /** Set where the API never lists its tasks among its hooks, so that none is missing there. */
  unlisted?: boolean;
  /** Set where one execution has nothing to do with the next: what pauses lets the others pass. */
  inAnyOrder?: boolean;
  /** Set where its hooks take deliveries at `/webhook/{uuid}`. */
  deliveries?: DeliveryValidator;
  /**
   * Checks a hook and says what is kept of it.
   *
   * @param urlPublic how others reach this service
   * @throws CdsError 400 when it cannot work whatever happens
   */
  keep(hook: HookToKeep, urlPublic: string): KeptHook;
}
