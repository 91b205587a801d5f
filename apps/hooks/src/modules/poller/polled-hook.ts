import type { PolledHook } from '@cds/api-client';
import type { HookConfig } from '@cds/wire';

/** What the API polls for a hook. @returns a sentence when the configuration is incomplete */
export function polledHook(uuid: string, config: HookConfig | null): PolledHook | string {
  const vcsServer = config?.vcsServer?.value ?? '';
  const workflowId = config?.workflow_id?.value ?? '';
  if (vcsServer === '' || !config?.repoFullName?.value)
    return 'its configuration names no repository (vcsServer, repoFullName): give its workflow an application that is linked to one, and save it';
  if (!/^[1-9]\d{0,18}$/.test(workflowId))
    return 'its configuration holds no workflow_id: save its workflow';
  return { uuid, workflowId, vcsServer };
}
