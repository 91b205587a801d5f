import type { Logger } from '../logs/create-logger';
import { isTokenRefused } from './token-refusal';

export interface FailureCountDeps {
  logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  maxHeartbeatFailures: number;
  /** Called once when more heartbeats than `maxHeartbeatFailures` failed in a row. */
  onTooManyFailures?: (error: Error) => void;
}

/**
 * Counts and logs failed heartbeats. A refused token counts from the start, since waiting does not
 * mend it; an API that is away counts only once it has been there.
 * @param adviceFor what an operator is to do where the API refuses the service
 */
export function createFailureCount(deps: FailureCountDeps, adviceFor: (error: unknown) => string) {
  const { logger, maxHeartbeatFailures, onTooManyFailures } = deps;
  let inARow = 0;
  let waiting = false;

  return {
    get inARow(): number {
      return inARow;
    },
    /** @param registered whether there was a success before */
    add(error: unknown, registered: boolean): void {
      const refused = isTokenRefused(error);
      if (refused || registered) inARow++;
      if (refused) {
        logger.error(
          { err: error, failuresInARow: inARow, advice: adviceFor(error) },
          'CDS API refuses api.token',
        );
      } else if (registered) {
        logger.warn({ err: error, failuresInARow: inARow }, 'heartbeat to the CDS API failed');
      } else {
        // One warning: this may take as long as an operator likes.
        logger[waiting ? 'debug' : 'warn']({ err: error }, 'waiting for the CDS API');
        waiting = true;
      }
      if (inARow !== maxHeartbeatFailures + 1 || !onTooManyFailures) return;
      onTooManyFailures(
        new Error(
          `${inARow} heartbeats to the CDS API failed in a row (maxHeartbeatFailures is ${maxHeartbeatFailures}); the last one: ${describe(error)}`,
          { cause: error },
        ),
      );
    },
    reset(): void {
      if (inARow > 0) logger.info({ failuresInARow: inARow }, 'heartbeats reach the CDS API again');
      inARow = 0;
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
