import type { BbHook, BitbucketClient, CallContext, RepoRef } from '@cds/bitbucket';
import type { Logger } from '@cds/service';
import { fullNameOf } from '../http/repository-ref';

/**
 * The webhooks of a repository that lead to one URL. Bitbucket takes any number; each delivers
 * every push.
 */
export interface SameUrl {
  /** The one to keep; undefined when there is none. */
  kept: BbHook | undefined;
  doubles: BbHook[];
}

/**
 * Chooses among the webhooks with exactly this URL: the one that is known, else one that is signed,
 * else one that is active, else the first.
 *
 * @param url as Bitbucket has it
 * @param knownUuid Bitbucket's, of the one that was put in force before; '' when that is not known
 */
export function withUrl(hooks: readonly BbHook[], url: string, knownUuid = ''): SameUrl {
  const rank = ({ uuid, secretSet, active }: BbHook): number =>
    (uuid === knownUuid ? 4 : 0) + (secretSet === false ? 0 : 2) + (active ? 1 : 0);
  const [kept, ...doubles] = hooks
    .filter((hook) => hook.url === url)
    .toSorted((one, other) => rank(other) - rank(one));
  return { kept, doubles };
}

/** The URLs to which more than one webhook leads. */
export function urlsWithDoubles(hooks: readonly BbHook[]): Set<string> {
  const seen = new Set<string>();
  return new Set(
    hooks.flatMap(({ url }) => {
      const isDouble = seen.has(url);
      seen.add(url);
      return isDouble ? [url] : [];
    }),
  );
}

/**
 * Removes further webhooks with the URL of one that stays, since each push would be delivered once
 * by each.
 *
 * @throws what Bitbucket's client throws; one that is gone already counts as removed
 */
export async function removeDoubles(
  deps: { bitbucket: Pick<BitbucketClient, 'deleteHook'>; repo: RepoRef; logger: Logger },
  { kept, doubles }: SameUrl,
  ctx: CallContext,
): Promise<void> {
  for (const { uuid, url } of doubles) {
    await deps.bitbucket.deleteHook(deps.repo, uuid, ctx);
    deps.logger.info(
      { repository: fullNameOf(deps.repo), url, webhook: kept?.uuid, removed: uuid },
      'second webhook with the same url removed',
    );
  }
}
