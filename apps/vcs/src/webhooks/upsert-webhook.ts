import { isBitbucketError, type BbHook, type HookSettings, type RepoRef } from '@cds/bitbucket';
import { vcsKeys } from '@cds/redis';
import { hookUuidOf } from '@cds/webhook-signature';
import type { GrantedCall } from '../servers/granted-route';
import { fullNameOf, repoOf } from '../http/repository-ref';
import { withUrl } from './duplicate-webhooks';

export interface HookInForce {
  hook: BbHook;
  /**
   * Those with the same URL, and the other webhooks of the repository, where they had to be listed.
   */
  doubles: BbHook[];
  others: BbHook[];
}

/**
 * Makes the hook exist at Bitbucket as `settings` say: the one with this uuid, else the one with this URL is updated, so
 * that a repeated call doubles nothing; else one is created.
 *
 * @param uuid Bitbucket's, '' when it is not known
 */
export async function putHookInForce(
  call: GrantedCall,
  uuid: string,
  settings: HookSettings,
): Promise<HookInForce> {
  const updated = await updateIfThere(call, uuid, settings);
  if (updated) return { hook: updated, doubles: [], others: [] };
  const repo = repoOf(call.req);
  const { found, doubles, others } = await findHook(call, settings.url);
  const hook = found
    ? await call.bitbucket.updateHook(repo, found.uuid, settings, call.ctx)
    : await call.bitbucket.createHook(repo, settings, call.ctx);
  return { hook, doubles, others };
}

/** Updates the hook with this uuid; undefined when there is none, or none is named. */
export async function updateIfThere(
  call: GrantedCall,
  uuid: string,
  settings: HookSettings,
): Promise<BbHook | undefined> {
  if (uuid === '') return undefined;
  try {
    return await call.bitbucket.updateHook(repoOf(call.req), uuid, settings, call.ctx);
  } catch (error) {
    // Somebody deleted it at Bitbucket.
    if (isBitbucketError(error) && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * The webhook with this URL, further ones with it, and the others of the repository.
 *
 * @param url as Bitbucket has it
 */
export async function findHook(
  call: GrantedCall,
  url: string,
): Promise<{ found: BbHook | undefined; doubles: BbHook[]; others: BbHook[] }> {
  const hooks = await call.bitbucket.listHooks(repoOf(call.req), call.ctx);
  const { kept, doubles } = withUrl(hooks, url);
  return { found: kept, doubles, others: hooks.filter((hook) => hook.url !== url) };
}

/** The lock under which a webhook is written, so that what the API wants and a repair do not cross. */
export function webhookLock(repo: RepoRef, url: string): string {
  return vcsKeys.webhookLockId(fullNameOf(repo), hookUuidOf(url));
}
