import { abortable, withTimeout } from '@cds/network';
import type { MonitoringLine, MonitoringStatus } from '@cds/wire';
import { buildInfo } from './build-info';
import { formatGoDuration } from './format-go-duration';
import type { Registration } from './registration/create-registration';
import { API_COMPONENT, VERSION_COMPONENT } from './registration/reported-version';

const LINES_TIMEOUT_MS = 2_000;

type Heartbeats = Pick<Registration, 'failuresInARow' | 'registered'>;
type StatusLines = () => MonitoringLine[] | Promise<MonitoringLine[]>;

export type Monitoring = ReturnType<typeof createMonitoring>;

/** What `/mon/status` says; it begins with the lines of every CDS service. */
export function createMonitoring(deps: { maxHeartbeatFailures: number }) {
  const { version } = buildInfo();
  const sources: StatusLines[] = [];
  return {
    /** Never fails and takes 2 s at most: one line takes the place of those that are late. */
    async status(): Promise<MonitoringStatus> {
      const now = new Date();
      const added = await Promise.all(sources.map(boundedLines));
      return {
        now: now.toISOString(),
        lines: [
          monitoringLine('OK', VERSION_COMPONENT, version),
          monitoringLine('OK', 'Uptime', formatGoDuration(process.uptime() * 1_000)),
          monitoringLine(
            'OK',
            'Time',
            now.toISOString().replace(/^.*T(..):(..):(..).*$/, '$1h$2m$3s'),
          ),
          ...added.flat(),
        ],
      };
    },
    /** Adds lines behind those that are there. */
    add: (lines: StatusLines): void => void sources.push(lines),
    /** Adds the line on the CDS API. */
    watch(registration: Heartbeats): void {
      sources.push(() => [apiLine(registration, deps.maxHeartbeatFailures)]);
    },
  };
}

function apiLine(
  { registered, failuresInARow }: Heartbeats,
  maxHeartbeatFailures: number,
): MonitoringLine {
  if (failuresInARow > 0) {
    const status = failuresInARow > maxHeartbeatFailures ? 'AL' : 'WARN';
    return monitoringLine(status, API_COMPONENT, `${failuresInARow} failed heartbeats in a row`);
  }
  return registered
    ? monitoringLine('OK', API_COMPONENT, 'registered')
    : monitoringLine('WARN', API_COMPONENT, 'not registered yet');
}

async function boundedLines(lines: StatusLines): Promise<MonitoringLine[]> {
  try {
    return await withTimeout(undefined, LINES_TIMEOUT_MS, ({ signal }) =>
      abortable(Promise.resolve(lines()), signal, () => new Error('too slow')),
    );
  } catch {
    // Anybody may read this: addresses and reasons stand in the log only.
    return [monitoringLine('AL', 'Monitoring', 'the state of this service cannot be read')];
  }
}

/** One line of `/mon/status`. */
export function monitoringLine(
  status: MonitoringLine['status'],
  component: string,
  value: string | number,
): MonitoringLine {
  return { status, component, value: String(value), type: '' };
}
