import type { BuildParameter } from '@cds/api-client';
import type { Secret } from './mask-secrets';

/** Types of variables that CDS stores encrypted. */
const SECRET_TYPES = new Set(['password', 'key', 'ssh', 'ssh-key', 'pgp', 'pgp-key', 'gpg']);

/**
 * The variables of a run. Secret are those of a secret type, and those that only `details` shows:
 * that route exists for what the run must not show.
 */
export function variablesOf(
  ofRun: readonly BuildParameter[],
  details: readonly BuildParameter[],
): { values: ReadonlyMap<string, string>; secrets: Secret[] } {
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
