import type { BitbucketCall } from '@cds/bitbucket';
import type { BitbucketServerConfig } from '@cds/config';
import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Redis } from 'ioredis';
import { budgetState, type BudgetState } from './budget-state';
import { createRateLimitUsage, REFUSAL_SECONDS } from './rate-limit-usage';

/** The wait of listings after a 429 without a time. */
const WAIT_SECONDS = 60;

/** The calls that are left of those that Bitbucket grants an OAuth consumer in an hour. */
export interface CallBudget {
  /** Counts a call. Costs no time. */
  count(call: BitbucketCall): void;
  /** The error for a listing, when the calls that are left are for runs. Never rejects. */
  refusalOfListing(): Promise<CdsError | undefined>;
  /** Whether background work should wait, as far as this process knows. */
  isShort(): boolean;
  /** The same, by what all replicas spent. Never rejects. */
  isShortAnywhere(): Promise<boolean>;
  /** By what all replicas spent. Never rejects. */
  state(): Promise<BudgetState>;
  /** Flushes what is not in Redis yet. Never rejects. */
  close(): Promise<void>;
}

export interface CallBudgetDeps {
  config: Pick<BitbucketServerConfig, 'name' | 'apiUrl' | 'clientId' | 'callsPerHour'>;
  redis: Redis;
  logger: Logger;
  onListingRefused?: () => void;
}

/**
 * Bitbucket does not report to an OAuth consumer which calls are left: they are counted here, over
 * all replicas and users. https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/
 */
export function createCallBudget(deps: CallBudgetDeps): CallBudget {
  const { config, redis, logger } = deps;
  const limit = config.callsPerHour;
  const usage = createRateLimitUsage({ redis, logger, consumer: config });
  const state = async () => budgetState(limit, await usage.fresh());
  return {
    count({ route, status, retryAfterSeconds = 0 }) {
      if (status === 429)
        usage.refuse(Math.ceil(Math.min(retryAfterSeconds || WAIT_SECONDS, REFUSAL_SECONDS)));
      if (route.startsWith('/repositories')) usage.add();
    },
    async refusalOfListing() {
      const now = await state();
      if (now.allowed !== 'runs') return undefined;
      deps.onListingRefused?.();
      return listingRefused(config, now);
    },
    isShort: () => budgetState(limit, usage.known()).allowed !== 'all',
    isShortAnywhere: async () => (await state()).allowed !== 'all',
    state,
    close: usage.close,
  };
}

function listingRefused(
  { name, callsPerHour }: CallBudgetDeps['config'],
  { spent, waitSeconds }: BudgetState,
): CdsError {
  const why =
    callsPerHour > 0
      ? `${spent} of the ${callsPerHour} calls that Bitbucket grants the OAuth consumer of ${name} in an hour are spent`
      : `Bitbucket refuses more calls of the OAuth consumer of ${name}`;
  return new CdsError('tooManyRequests', {
    from: `${why}; what is left is kept for runs: list again in ${Math.ceil(waitSeconds / 60)} min`,
    headers: { 'Retry-After': String(Math.max(1, waitSeconds)) },
  });
}
