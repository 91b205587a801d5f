import type { ServiceName } from '../config-types';
import type { SectionDescriptor } from './descriptor';
import { HOOKS_SECTIONS } from './hooks-sections';
import { VCS_SECTIONS } from './vcs-sections';

export * from './descriptor';
export { LOG_SECTIONS } from './log-sections';
export {
  BITBUCKET_CLOUD_KIND,
  DEFAULT_SERVER,
  PROXY_EXAMPLE,
  bitbucketServerSections,
} from './vcs-sections';

/** The tables of each service, without `[log]`. */
export const SERVICE_SECTIONS: Readonly<Record<ServiceName, readonly SectionDescriptor[]>> = {
  vcs: VCS_SECTIONS,
  hooks: HOOKS_SECTIONS,
};
