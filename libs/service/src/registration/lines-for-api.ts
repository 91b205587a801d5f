import type { MonitoringStatus } from '@cds/wire';
import { API_COMPONENT } from '../monitoring-components';

/** The status as a heartbeat carries it: what this service thinks of the API is not for the API. */
export function linesForApi({ now, lines }: MonitoringStatus): MonitoringStatus {
  return { now, lines: lines.filter(({ component }) => component !== API_COMPONENT) };
}
