import type { HookConfig, Task } from '@cds/wire';
import { html, type Part } from './html';
import { facts } from './layout';

/** A value of a hook's configuration; "" without it. */
export function configValue(config: HookConfig | null | undefined, key: string): string {
  return config?.[key]?.value ?? '';
}

/** How people call a hook: by its workflow, else by its uuid. */
export function nameOf({ uuid, config }: Pick<Task, 'uuid' | 'config'>): string {
  const [project, workflow] = [configValue(config, 'project'), configValue(config, 'workflow')];
  return project === '' && workflow === '' ? uuid : `${project}/${workflow}`;
}

/** Names whose values are not shown. */
const SECRET = /auth|cookie|credential|key|passw|secret|signature|token/i;
const HIDDEN = '(hidden)';

export function isSecret(name: string): boolean {
  return SECRET.test(name.replace(/^x-(event|hook)-(key|uuid)$/i, ''));
}

/** The configuration without its secrets. */
export function configFacts(config: HookConfig | null): Part {
  if (!config) return html`<p>Its configuration cannot be read: save its workflow in CDS.</p>`;
  return facts(
    Object.entries(config).map(([name, { type, value }]) => [
      name,
      type === 'password' || isSecret(name) ? (value === '' ? '' : HIDDEN) : value,
    ]),
  );
}

/** A run with a link to it, where the address of CDS's UI is known. */
export function runLink(uiUrl: string, config: HookConfig | null | undefined, run: number): Part {
  if (run <= 0) return undefined;
  const [project, workflow] = ['project', 'workflow'].map((key) =>
    encodeURIComponent(configValue(config, key)),
  );
  const text = `run ${run}`;
  if (!/^https?:\/\//.test(uiUrl) || !project || !workflow) return text;
  return html`<a href="${uiUrl}/project/${project}/workflow/${workflow}/run/${run}" rel="noreferrer"
    >${text}</a
  >`;
}
