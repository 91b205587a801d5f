import type { LoadedConfig } from '../config-types';
import type { Reading } from './reading';

/** Warns where `vcs` would sign webhooks with a key that `hooks` does not take. */
export function checkSameKey(
  reading: Reading,
  { vcs, hooks }: Pick<LoadedConfig, 'vcs' | 'hooks'>,
): void {
  if (!vcs || !hooks || hooks.signature === 'off') return;
  if (hooks.webhookKeys.includes(vcs.webhookKey)) return;
  reading.warn(
    reading.placeOf('hooks', 'webhookKey'),
    'is not the key of [vcs], so that every signed delivery will be refused: give both sections the same webhookKey (without one, the same api.token)',
  );
}
