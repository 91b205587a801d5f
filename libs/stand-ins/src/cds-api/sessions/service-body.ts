import { GO_ZERO_TIME } from '@cds/wire';
import type { RegisteredService } from '../model';
import type { ServiceBody } from './session-access';

/** A service as the API answers it; that of nobody where a person has signed in. */
export function answeredService(
  row?: RegisteredService,
  asked?: ServiceBody,
  version?: string,
): Record<string, unknown> {
  return {
    id: row?.id ?? 0,
    name: row?.name ?? '',
    type: row?.type ?? '',
    http_url: row?.url ?? '',
    config: asked?.config ?? null,
    ...{ public_key: null, region: null, ignore_job_with_no_region: null },
    last_heartbeat: row ? new Date(row.lastHeartbeat).toISOString() : GO_ZERO_TIME,
    monitoring_status: { now: GO_ZERO_TIME, lines: null },
    version: '',
    up_to_date: asked !== undefined && asked.version === version,
  };
}
