import type { BitbucketCall } from '@cds/bitbucket';
import type { Logger } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Redis } from 'ioredis';
import { budgetState, type BudgetState } from './budget-state';
import { createRateLimitUsage, REFUSAL_SECONDS } from './rate-limit-usage';

/** The wait of listings after a 429 without a time. */
const WAIT_SECONDS = 60;

/** Whose calls Bitbucket counts together: an OAuth consumer, a user or an access token. */
export interface CallCounter {
  apiUrl: string;
  /** Names it in Redis without a secret. */
  clientId: string;
  /** Calls that are granted in an hour, 0 for no limit. What Bitbucket itself says is more. */
  callsPerHour: number;
  /** Its name in sentences. */
  holder: string;
  /** Its name in metrics. */
  label: string;
}

export type CallBudget = ReturnType<typeof createCallBudget>;

/**
 * The calls that are left of those that Bitbucket grants in an hour. It does not report them, but
 * to some access tokens how many it grants. They are counted here, over all replicas.
 * https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/
 */
export function createCallBudget(deps: {
  counter: CallCounter;
  redis: Redis;
  logger: Logger;
  onListingRefused?: () => void;
}) {
  const { counter, redis, logger } = deps;
  let limit = counter.callsPerHour;
  const usage = createRateLimitUsage({ redis, logger, consumer: counter });
  const state = async () => budgetState(limit, await usage.fresh());
  const known = () => budgetState(limit, usage.known());
  return {
    /** Counts a call. Costs no time. */
    count({ route, status, retryAfterSeconds = 0, callsPerHour }: BitbucketCall): void {
      // 0 is the operator's word.
      if (callsPerHour !== undefined && limit > 0) limit = callsPerHour;
      if (status === 429)
        usage.refuse(Math.ceil(Math.min(retryAfterSeconds || WAIT_SECONDS, REFUSAL_SECONDS)));
      if (route.startsWith('/repositories')) usage.add();
    },
    /** The error for a listing, when the calls that are left are for runs. Never rejects. */
    async refusalOfListing(): Promise<CdsError | undefined> {
      const now = await state();
      if (now.allowed !== 'runs') return undefined;
      deps.onListingRefused?.();
      return listingRefused(counter.holder, limit, now);
    },
    /** Whether background work should wait, as far as this process knows. */
    isShort: () => known().allowed !== 'all',
    /** The same, by what all replicas spent. Never rejects. */
    isShortAnywhere: async () => (await state()).allowed !== 'all',
    /** By what all replicas spent. Never rejects. */
    state,
    /** As far as this process knows. */
    known,
    flush: usage.flush,
    close: usage.close,
  };
}

function listingRefused(
  holder: string,
  limit: number,
  { spent, waitSeconds }: BudgetState,
): CdsError {
  const why =
    limit > 0
      ? `${spent} of the ${limit} calls that Bitbucket grants ${holder} in an hour are spent`
      : `Bitbucket refuses more calls of ${holder}`;
  return new CdsError('tooManyRequests', {
    from: `${why}; what is left is kept for runs: list again in ${Math.ceil(waitSeconds / 60)} min`,
    headers: { 'Retry-After': String(Math.max(1, waitSeconds)) },
  });
}
