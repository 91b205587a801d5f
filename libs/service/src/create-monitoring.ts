import { setTimeout as sleep } from 'node:timers/promises';
import type { MonitoringLine, MonitoringStatus } from '@cds/wire';
import { buildInfo } from './build-info';
import { formatGoDuration } from './format-go-duration';
import { API_COMPONENT, VERSION_COMPONENT } from './monitoring-components';
import type { Registration } from './registration/create-registration';

const EXTRA_TIMEOUT_MS = 2_000;

export interface MonitoringDeps {
  /** The service's own lines. */
  extra?: () => Promise<MonitoringLine[]>;
  registration?: Pick<Registration, 'failuresInARow' | 'registered'>;
  maxHeartbeatFailures: number;
}

/**
 * The answer of `/mon/status`. It never fails and takes 2 s at most: lines of the service that are
 * missing by then are one line that says so.
 */
export function createMonitoring(deps: MonitoringDeps): () => Promise<MonitoringStatus> {
  const { version } = buildInfo();
  return async () => {
    const now = new Date();
    return {
      now: now.toISOString(),
      lines: [
        line('OK', VERSION_COMPONENT, version),
        line('OK', 'Uptime', formatGoDuration(process.uptime() * 1_000)),
        line('OK', 'Time', now.toISOString().replace(/^.*T(..):(..):(..).*$/, '$1h$2m$3s')),
        ...(deps.registration ? [apiLine(deps.registration, deps.maxHeartbeatFailures)] : []),
        ...(deps.extra ? await boundedLines(deps.extra) : []),
      ],
    };
  };
}

function apiLine(
  { registered, failuresInARow }: Pick<Registration, 'failuresInARow' | 'registered'>,
  maxHeartbeatFailures: number,
): MonitoringLine {
  if (failuresInARow > 0) {
    const status = failuresInARow > maxHeartbeatFailures ? 'AL' : 'WARN';
    return line(status, API_COMPONENT, `${failuresInARow} failed heartbeats in a row`);
  }
  return registered
    ? line('OK', API_COMPONENT, 'registered')
    : line('WARN', API_COMPONENT, 'not registered yet');
}

async function boundedLines(extra: () => Promise<MonitoringLine[]>): Promise<MonitoringLine[]> {
  const done = new AbortController();
  try {
    return await Promise.race([
      extra(),
      sleep(EXTRA_TIMEOUT_MS, undefined, { signal: done.signal }).then(() => {
        throw new Error('too slow');
      }),
    ]);
  } catch {
    // Anybody may read this: addresses and reasons stand in the log only.
    return [line('AL', 'Monitoring', 'the state of this service cannot be read')];
  } finally {
    done.abort();
  }
}

function line(status: MonitoringLine['status'], component: string, value: string): MonitoringLine {
  return { status, component, value, type: '' };
}
