import { giveUp } from './say.mjs';

const OLDEST = [20, 19];

/** Ends with a sentence where Node is older than package.json's `engines` asks for. */
export function ensureNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOldEnough = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  if (!isOldEnough)
    giveUp(`Node.js ${OLDEST.join('.')} or newer is needed, this is ${version}: please upgrade.`);
}
