import type { BuildParameter } from '@cds/api-client';
import type { Secret } from './mask-secrets';

/** Types of variables that CDS keeps encrypted. */
const SECRET_TYPES = new Set(['password', 'key', 'ssh', 'ssh-key', 'pgp', 'pgp-key', 'gpg']);

export interface Variables {
  values: ReadonlyMap<string, string>;
  secrets: Secret[];
}

/**
 * The variables of a run, and which of them are secret: by their type, and whatever only `details` shows, since that
 * route exists for what the run itself must not show.
 */
export function variablesOf(
  ofRun: readonly BuildParameter[],
  details: readonly BuildParameter[],
): Variables {
  const shown = new Map(ofRun.map(({ name, value }) => [name, value]));
  const all = [...ofRun, ...details];
  return {
    values: new Map(all.map(({ name, value }) => [name, value])),
    secrets: [
      ...all.filter(({ type }) => SECRET_TYPES.has(type)),
      ...details.filter(({ name, value }) => shown.get(name) !== value),
    ].map(({ name, value }) => ({ name, value })),
  };
}
