export type MonitoringLevel = 'OK' | 'WARN' | 'AL';

/** One line of `/mon/status`. */
export interface MonitoringLine {
  status: MonitoringLevel;
  component: string;
  value: string;
  type: string;
}

/** The answer of `/mon/status`, also part of every registration. */
export interface MonitoringStatus {
  /** RFC 3339. */
  now: string;
  lines: MonitoringLine[];
}

/** The answer of `/mon/version`. */
export interface VersionInfo {
  version: string;
  architecture: string;
  os: string;
  git_hash: string;
  build_time: string;
  db_migrate: string | null;
}

export type ServiceType = 'vcs' | 'hooks';

/** The body of `POST /services/register`. The API answers with the same, `hash` filled in. */
export interface ServiceRegistration {
  id: number;
  name: string;
  type: ServiceType;
  http_url: string;
  last_heartbeat: string;
  hash: string;
  token: string;
  group_id: number | null;
  group: null;
  monitoring_status: MonitoringStatus;
  /** The configuration without its secrets. */
  config: Record<string, unknown>;
  is_shared_infra: boolean;
  version: string;
  up_to_date: boolean;
}

/** Go's zero time, which CDS writes where there is none. */
export const GO_ZERO_TIME = '0001-01-01T00:00:00Z';
