/** The configuration cannot be read from Vault or Consul. Never holds a token or what they hold. */
export class RemoteConfigError extends Error {
  override readonly name = 'RemoteConfigError';

  /** @param mayPass whether the same call may succeed later */
  constructor(
    message: string,
    readonly mayPass = false,
  ) {
    super(message);
  }
}
