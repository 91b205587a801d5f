/** A `repo:push` delivery that does not hold what a push holds. The message names the path and what belongs there. */
export class MalformedPushError extends Error {
  override readonly name = 'MalformedPushError';
}

/** A request to a plain webhook whose query or body cannot be read. The message says which and why. */
export class MalformedWebhookError extends Error {
  override readonly name = 'MalformedWebhookError';
}

/** The payload of a scheduler that cannot be handed on. The message says why. */
export class MalformedScheduleError extends Error {
  override readonly name = 'MalformedScheduleError';
}

/** A message of a queue that cannot be handed on. The message says why. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

/** The payload in the configuration of a poller that cannot be handed on, or a change that cannot be read. The message says why. */
export class MalformedPollError extends Error {
  override readonly name = 'MalformedPollError';
}

/** Whether a delivery itself is at fault, so that trying it again is useless. */
export function isMalformedDelivery(
  error: unknown,
): error is
  | MalformedPushError
  | MalformedWebhookError
  | MalformedScheduleError
  | MalformedMessageError
  | MalformedPollError {
  return (
    error instanceof MalformedPushError ||
    error instanceof MalformedWebhookError ||
    error instanceof MalformedScheduleError ||
    error instanceof MalformedMessageError ||
    error instanceof MalformedPollError
  );
}
