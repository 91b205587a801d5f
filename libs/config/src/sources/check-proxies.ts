import { type ProxySettings, ProxySettingsError, readProxySettings } from '@cds/network';
import type { Reading } from './reading';

/** The proxies of the environment; undefined where there are none. Reports their problems. */
export function checkProxies(reading: Reading, env: NodeJS.ProcessEnv): ProxySettings | undefined {
  try {
    const settings = readProxySettings(env);
    if (Object.keys(settings.inForce).length === 0) return undefined;
    for (const entry of settings.unknownExceptions)
      reading.warning(
        { key: 'NO_PROXY' },
        `"${entry.slice(0, 100)}" is ignored: it is no host, suffix, address or network`,
      );
    return settings;
  } catch (error) {
    if (!(error instanceof ProxySettingsError)) throw error;
    reading.error({ key: error.variable }, error.problem);
    return undefined;
  }
}
