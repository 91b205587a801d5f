import { isCdsAtLeast } from '@cds/config';
import { isConsumerToken } from '@cds/wire';

/**
 * Whether the API expects the name and the whole of an event in the payload of a run: CDS 0.42 and
 * later, of which 0.44 and later are told by the token, too.
 * @param api.version empty while it is not known
 */
export function namesEvents(api: { version: string; token: string }): boolean {
  return isConsumerToken(api.token) || (isCdsAtLeast(api.version, '0.42') ?? false);
}
