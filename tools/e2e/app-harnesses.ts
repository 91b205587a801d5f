/** What the specs of single apps are played with, for those that need two of them. */
export { bundleEngine, type Engine, readyConfig } from '../../apps/engine/test/engine.fixture';
export {
  plainHook,
  repositoryHook,
  signed,
  startWorld,
  type World,
} from '../../apps/hooks/test/harness';
export { bitbucketHeaders, pushDelivery } from '../../apps/hooks/test/pushes';
