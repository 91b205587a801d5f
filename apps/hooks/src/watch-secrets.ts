import { type TakeSecret, takeSecrets, watchSecretFiles } from '@cds/service';
import { isConsumerToken } from '@cds/wire';
import type { Resources } from './resources';

const API_TOKEN = 'CDS_HOOKS_API_TOKEN';

/** Takes changed files of secrets while the service runs. @returns what ends it */
export function watchSecrets(of: Pick<Resources, 'config' | 'logger' | 'timing'>): () => void {
  const { config, logger, timing } = of;
  const take = takeSecrets({ service: 'hooks', config, webhookKey: config.webhookKeys[0] });
  // A start refuses two tokens that are one: a service may remove no runs.
  const ofHooks: Record<string, TakeSecret> = {
    [API_TOKEN]: (token) =>
      token !== config.branchDeletion.token && (take[API_TOKEN]?.(token) ?? false),
    CDS_HOOKS_BRANCHDELETION_TOKEN(token) {
      if (!isConsumerToken(token) || token === config.api.token) return false;
      config.branchDeletion.token = token;
      return true;
    },
  };
  return watchSecretFiles({
    ...{ files: config.secretFiles ?? [], logger, intervalMs: timing.secretFilesMs },
    take: { ...take, ...ofHooks },
  });
}
