import { isBitbucketError, type BbHook, type HookSettings } from '@cds/bitbucket';
import type { GrantedCall } from '../calls/granted-route';
import { repoOf } from '../calls/request-values';

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
): Promise<BbHook> {
  const updated = await updateIfThere(call, uuid, settings);
  if (updated) return updated;
  const repo = repoOf(call.req);
  const existing = await findHook(call, settings.url);
  return existing
    ? call.bitbucket.updateHook(repo, existing.uuid, settings, call.ctx)
    : call.bitbucket.createHook(repo, settings, call.ctx);
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

/** @param url as Bitbucket has it */
export async function findHook(call: GrantedCall, url: string): Promise<BbHook | undefined> {
  const hooks = await call.bitbucket.listHooks(repoOf(call.req), call.ctx);
  return hooks.find((hook) => hook.url === url);
}
