/** What the specs of single apps are played with, for those that need two of them. */
export { bundleEngine, type Engine, readyConfig } from '../../apps/engine/test/engine.fixture';
export { plainHook, repositoryHook, signed } from '../../apps/hooks/test/node-hooks';
export { bitbucketHeaders, pushDelivery } from '../../apps/hooks/test/pushes';
export type { RunningHooks } from '../../apps/hooks/test/running-hooks';
export { useTestContext } from '../../apps/hooks/test/test-context';
