/** The content of an execution is at fault, so another try is useless. The message says why. */
abstract class MalformedDeliveryError extends Error {}

/** A body that is no `repo:push`. The message names the path and what belongs there. */
export class MalformedPushError extends MalformedDeliveryError {
  override readonly name = 'MalformedPushError';
}

/** A request to a plain webhook whose query or body cannot be read. */
export class MalformedWebhookError extends MalformedDeliveryError {
  override readonly name = 'MalformedWebhookError';
}

/** The payload of a scheduler. */
export class MalformedScheduleError extends MalformedDeliveryError {
  override readonly name = 'MalformedScheduleError';
}

/** A message of a queue. */
export class MalformedMessageError extends MalformedDeliveryError {
  override readonly name = 'MalformedMessageError';
}

/** The payload of a poller, or a change that a poll found. */
export class MalformedPollError extends MalformedDeliveryError {
  override readonly name = 'MalformedPollError';
}

export function isMalformedDelivery(error: unknown): error is MalformedDeliveryError {
  return error instanceof MalformedDeliveryError;
}
