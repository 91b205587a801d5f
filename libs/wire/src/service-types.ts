import * as z from 'zod';

/** The answer of `/mon/status`, also part of every registration. */
export const monitoringStatusSchema = z
  .object({
    now: z.string().describe('RFC 3339.'),
    lines: z.array(
      z
        .object({
          status: z.enum(['OK', 'WARN', 'AL']),
          component: z.string(),
          value: z.string(),
          type: z.string(),
        })
        .meta({ id: 'MonitoringLine' }),
    ),
  })
  .meta({ id: 'MonitoringStatus' });
export type MonitoringStatus = z.infer<typeof monitoringStatusSchema>;

/** One line of `/mon/status`. */
export type MonitoringLine = MonitoringStatus['lines'][number];
export type MonitoringLevel = MonitoringLine['status'];

/** The answer of `/mon/ready`. */
export const readinessSchema = z
  .object({
    ready: z.boolean(),
    reason: z.string().optional().describe('Why not.'),
  })
  .meta({ id: 'Readiness' });
export type ReadinessAnswer = z.infer<typeof readinessSchema>;

/** The answer of `/mon/version`. */
export const versionInfoSchema = z
  .object({
    version: z.string(),
    architecture: z.string().describe("In Go's words: `amd64`."),
    os: z.string(),
    git_hash: z.string(),
    build_time: z.string(),
    db_migrate: z.string().nullable(),
  })
  .meta({ id: 'VersionInfo' });
export type VersionInfo = z.infer<typeof versionInfoSchema>;

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
