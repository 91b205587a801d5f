import { LOG_SECTIONS } from './common-sections';
import { HOOKS_SECTIONS } from './hooks-sections';
import type { Section, ServiceName } from './section';
import { DEFAULT_SERVER, serverSections, VCS_SECTIONS } from './vcs-sections';

/** The tables of each service, and `[log]`, in the order in which they are printed. */
export const PRINTED_SECTIONS: Readonly<Record<ServiceName | 'log', readonly Section[]>> = {
  vcs: [...Object.values(VCS_SECTIONS), ...Object.values(serverSections(DEFAULT_SERVER))],
  hooks: Object.values(HOOKS_SECTIONS),
  log: Object.values(LOG_SECTIONS),
};
