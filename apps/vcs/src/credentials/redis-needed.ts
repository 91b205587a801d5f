import { CdsError } from '@cds/wire';

/** A call needs a new access token while Redis, without which no grant is renewed, is away. */
export function redisNeeded(cause?: unknown): CdsError {
  return new CdsError('unavailable', {
    from: 'the access token has to be renewed, which needs Redis, and Redis does not answer: bring Redis back and repeat the call',
    cause,
  });
}
