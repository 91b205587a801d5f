import { isBitbucketError, type BbHook, type HookSettings, type RepoRef } from '@cds/bitbucket';
import { vcsKeys } from '@cds/redis';
import { hookUuidOf } from '@cds/webhook-signature';
import type { GrantedCall } from '../servers/granted-route';
import { fullNameOf } from '../http/repository-ref';
import { chooseByUrl } from './duplicate-webhooks';

export interface UpsertedWebhook {
  hook: BbHook;
  /** Empty, as `others`, where the webhooks of the repository did not have to be listed. */
  duplicates: BbHook[];
  others: BbHook[];
}

/**
 * Updates the webhook with this uuid, else the one with this URL, else creates one.
 * @param uuid Bitbucket's, '' when it is not known
 */
export async function upsertWebhook(
  call: GrantedCall,
  uuid: string,
  settings: HookSettings,
): Promise<UpsertedWebhook> {
  const updated = await updateIfExists(call, uuid, settings);
  if (updated) return { hook: updated, duplicates: [], others: [] };
  const { repo } = call;
  const { found, duplicates, others } = await findWebhook(call, settings.url);
  const hook = found
    ? await call.bitbucket.updateHook(repo, found.uuid, settings, call.ctx)
    : await call.bitbucket.createHook(repo, settings, call.ctx);
  return { hook, duplicates, others };
}

/** Updates the webhook with this uuid; undefined when there is none, or none is named. */
export async function updateIfExists(
  call: GrantedCall,
  uuid: string,
  settings: HookSettings,
): Promise<BbHook | undefined> {
  if (uuid === '') return undefined;
  try {
    return await call.bitbucket.updateHook(call.repo, uuid, settings, call.ctx);
  } catch (error) {
    // A person deleted it at Bitbucket.
    if (isBitbucketError(error) && error.status === 404) return undefined;
    throw error;
  }
}

/** Finds the webhook with this URL (Bitbucket's), its duplicates, and the other webhooks. */
export async function findWebhook(
  call: GrantedCall,
  url: string,
): Promise<{ found: BbHook | undefined; duplicates: BbHook[]; others: BbHook[] }> {
  const hooks = await call.bitbucket.listHooks(call.repo, call.ctx);
  const { kept, duplicates } = chooseByUrl(hooks, url);
  return { found: kept, duplicates, others: hooks.filter((hook) => hook.url !== url) };
}

/** The lock under which a webhook is written: an upsert and a repair must not cross. */
export function webhookLock(repo: RepoRef, url: string): string {
  return vcsKeys.webhookLockId(fullNameOf(repo), hookUuidOf(url));
}
