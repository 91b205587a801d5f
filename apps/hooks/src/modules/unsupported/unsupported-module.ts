import { traitsOf } from '@cds/hooks-store';
import type { HookModule } from '../hook-module';

/** Hooks that are stored and listed, but not run. */
export const unsupported: HookModule = {
  types: ['Kafka', 'Gerrit'],
  normalize: ({ config }) => ({ method: '', config }),
  unsupported: ({ type }) => traitsOf(type).whyNotServed,
};

/** Targets of outgoing workflow hooks: the API starts their runs itself. */
export const workflowTarget: HookModule = {
  types: ['Workflow'],
  normalize: () => ({ method: '', config: null }),
};
