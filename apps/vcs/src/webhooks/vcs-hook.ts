import type { BbHook } from '@cds/bitbucket';
import type { VcsHook } from '@cds/wire';

/** @param url as the API knows it, which is not Bitbucket's behind a proxy */
export function toVcsHook(hook: BbHook, url: string): VcsHook {
  return {
    id: hook.uuid,
    name: hook.description,
    events: hook.events,
    method: '',
    url,
    content_type: '',
    body: '',
    disable: !hook.active,
    insecure_ssl: false,
    workflow: false,
  };
}
