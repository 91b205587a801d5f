import { takeSecrets, watchSecretFiles } from '@cds/service';
import { isConsumerToken } from '@cds/wire';
import type { Resources } from './resources';

/** Takes changed files of secrets while the service runs. @returns what ends it */
export function watchSecrets({ config, registration, logger }: Resources): () => void {
  const webhookKey = config.webhookKeys[0];
  return watchSecretFiles({
    ...{ files: config.secretFiles ?? [], logger },
    take: {
      ...takeSecrets({ service: 'hooks', config, webhookKey, registration }),
      CDS_HOOKS_BRANCHDELETION_TOKEN(token) {
        if (!isConsumerToken(token) || token === config.api.token) return false;
        config.branchDeletion.token = token;
        return true;
      },
    },
  });
}
