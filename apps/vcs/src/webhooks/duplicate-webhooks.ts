import type { BbHook, BitbucketClient, CallContext, RepoRef } from '@cds/bitbucket';
import type { Logger } from '@cds/service';
import { fullNameOf } from '../http/repository-ref';

/** The webhooks of a repository with one URL: each delivers every push. */
export interface DuplicateWebhooks {
  /** The one to keep; undefined when there is none. */
  kept: BbHook | undefined;
  duplicates: BbHook[];
}

/**
 * Chooses among the webhooks with this URL: a known one, else signed, else active, else the first.
 * @param url as Bitbucket has it
 * @param knownUuid Bitbucket's, of the webhook that was upserted before; '' when that is not known
 */
export function chooseByUrl(
  hooks: readonly BbHook[],
  url: string,
  knownUuid = '',
): DuplicateWebhooks {
  const rank = ({ uuid, secretSet, active }: BbHook): number =>
    (uuid === knownUuid ? 4 : 0) + (secretSet === false ? 0 : 2) + (active ? 1 : 0);
  const [kept, ...duplicates] = hooks
    .filter((hook) => hook.url === url)
    .toSorted((one, other) => rank(other) - rank(one));
  return { kept, duplicates };
}

/** The URLs that more than one webhook has. */
export function duplicateUrls(hooks: readonly BbHook[]): Set<string> {
  const seen = new Set<string>();
  return new Set(
    hooks.flatMap(({ url }) => {
      const isDuplicate = seen.has(url);
      seen.add(url);
      return isDuplicate ? [url] : [];
    }),
  );
}

/** @throws what Bitbucket's client throws; one that is gone already counts as removed */
export async function removeDuplicates(
  deps: { bitbucket: Pick<BitbucketClient, 'deleteHook'>; repo: RepoRef; logger: Logger },
  { kept, duplicates }: DuplicateWebhooks,
  ctx: CallContext,
): Promise<void> {
  for (const { uuid, url } of duplicates) {
    await deps.bitbucket.deleteHook(deps.repo, uuid, ctx);
    deps.logger.info(
      { repository: fullNameOf(deps.repo), url, webhook: kept?.uuid, removed: uuid },
      'duplicate webhook removed',
    );
  }
}
