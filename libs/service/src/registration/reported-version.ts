import type { CdsApiClient } from '@cds/api-client';
import type { MonitoringStatus } from '@cds/wire';
import { buildInfo } from '../build-info';
import type { Logger } from '../logs/create-logger';

/** The component of the monitoring line about the API; no heartbeat contains this line. */
export const API_COMPONENT = 'CDS API';
/** The component of the line about the version; the API compares its value with its own version. */
export const VERSION_COMPONENT = 'Version';

export type ReportedVersion = ReturnType<typeof createReportedVersion>;

/**
 * The version that heartbeats report: the API's own, since it calls services of others out of date
 * (https://github.com/ovh/cds/blob/0.41.0/engine/api/services.go). Ours is in
 * `/mon/version` and in the log.
 */
export function createReportedVersion(deps: {
  api: Pick<CdsApiClient, 'version'>;
  logger: Pick<Logger, 'debug' | 'warn'>;
}) {
  let ofApi: string | undefined;
  let warned = false;
  const reported = (): string => ofApi ?? buildInfo().version;

  return {
    get reported(): string {
      return reported();
    },
    /** Empty while it is not known. */
    get ofApi(): string {
      return ofApi ?? '';
    },
    /**
     * The status as a heartbeat carries it: with this version, which the API compares, and without
     * what this service thinks of the API.
     */
    inStatus({ now, lines }: MonitoringStatus): MonitoringStatus {
      const forApi = lines.filter(({ component }) => component !== API_COMPONENT);
      return {
        now,
        lines: forApi.map((line) =>
          line.component === VERSION_COMPONENT ? { ...line, value: reported() } : line,
        ),
      };
    },
    /**
     * Asks the API.
     * @param o.orThrow rejects where the API does not answer; otherwise never
     * @returns whether the version differs from the one before
     */
    async refresh(signal: AbortSignal, o: { orThrow?: boolean } = {}): Promise<boolean> {
      const before = reported();
      try {
        const { version } = await deps.api.version();
        if (version !== '') ofApi = version;
      } catch (error) {
        if (o.orThrow) throw error;
        deps.logger.debug({ err: error }, "the API's version not read");
      }
      return !signal.aborted && reported() !== before;
    },
    /** Warns once of an API that calls us out of date all the same. */
    check({ up_to_date: upToDate }: { up_to_date: boolean }): void {
      if (upToDate || warned) return;
      warned = true;
      deps.logger.warn(
        { version: buildInfo().version, reportedVersion: reported() },
        'CDS API has another version than this service',
      );
    },
  };
}
