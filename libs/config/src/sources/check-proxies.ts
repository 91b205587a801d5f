import { type ProxySettings, ProxySettingsError, readProxySettings } from '@cds/network';
import type { ConfigProblem } from '../config-types';

/**
 * The proxies of the environment; undefined where there are none. What is wrong with them is added
 * to `problems`.
 */
export function checkProxies(
  env: NodeJS.ProcessEnv,
  problems: ConfigProblem[],
): ProxySettings | undefined {
  try {
    const settings = readProxySettings(env);
    if (Object.keys(settings.inForce).length === 0) return undefined;
    for (const entry of settings.unknownExceptions)
      problems.push({
        key: 'NO_PROXY',
        level: 'warning',
        message: `"${entry.slice(0, 100)}" is ignored: it is no host, suffix, address or network`,
      });
    return settings;
  } catch (error) {
    if (!(error instanceof ProxySettingsError)) throw error;
    problems.push({ key: error.variable, level: 'error', message: error.problem });
    return undefined;
  }
}
