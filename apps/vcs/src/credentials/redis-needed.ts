import { CdsError } from '@cds/wire';

/**
 * The error of a call that needs a new access token while Redis is away: only with Redis may a
 * grant be renewed.
 */
export function redisNeeded(cause?: unknown): CdsError {
  return new CdsError('unavailable', {
    from: 'the access token has to be renewed, which needs Redis, and Redis does not answer: bring Redis back and repeat the call',
    cause,
  });
}
