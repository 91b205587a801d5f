import type { Logger } from '@cds/service';

export interface Refusal {
  reason: string;
  /** Whether the API forbids to read the run. */
  isForbidden?: boolean;
}

/** Warns that the end of a build cannot be read or sent. */
export function createRefusalWarning(logger: Logger): (status: object, refusal: Refusal) => void {
  let isForbiddenTold = false;
  return (status, { reason, isForbidden = false }) => {
    const fields = { ...status, reason };
    if (!isForbidden)
      logger.warn(
        fields,
        'build status stays in progress at Bitbucket: its end cannot be read or sent; trying for a day',
      );
    // A consumer without the scope reads no run at all: one warning is enough.
    else if (!isForbiddenTold)
      logger.warn(
        fields,
        'build status stays in progress at Bitbucket: runs may not be read; give the consumer of vcs the scope Run',
      );
    isForbiddenTold ||= isForbidden;
  };
}
