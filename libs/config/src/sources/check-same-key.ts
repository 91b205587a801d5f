import { isConsumerToken } from '@cds/wire';
import type { LoadedConfig } from '../config-types';
import type { Reading } from './reading';

/**
 * Warns where `vcs` would sign webhooks with a key that `hooks` does not take; refuses it where that
 * key is the token of a consumer, which `hooks` never has.
 */
export function checkSameKey(
  reading: Reading,
  { vcs, hooks }: Pick<LoadedConfig, 'vcs' | 'hooks'>,
): void {
  if (!vcs || !hooks || hooks.signature === 'off') return;
  // Both tokens are missing, which is said already.
  if (vcs.webhookKey === '' && hooks.webhookKeys.length === 0) return;
  if (hooks.webhookKeys.includes(vcs.webhookKey)) return;
  const isOwnToken = vcs.webhookKey === vcs.api.token && isConsumerToken(vcs.api.token);
  reading[isOwnToken ? 'error' : 'warn'](
    reading.placeOf('hooks', 'webhookKey'),
    'is not the key of [vcs], so that every signed delivery will be refused: give both sections the same webhookKey (without one, the same api.token, which CDS 0.40 to 0.43 alone have)',
  );
}
