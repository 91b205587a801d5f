import type { Tracing } from './opentelemetry/create-tracing';
import { readSettings } from './read-settings';
import type { WarningLogger } from './tracing';

export interface StartedTracing {
  /** Undefined where traces are off. */
  tracing: Tracing | undefined;
  /** Logs whether traces are on, and reports failures of their export from now on. */
  logTo(logger: WarningLogger): void;
}

/** Starts traces where the variables `OTEL_…` want them; else loads nothing. */
export async function startTracing(service: {
  /** `hooks` or `vcs`. */
  service: string;
  /** The name of this replica. */
  name: string;
  version: string;
}): Promise<StartedTracing> {
  const settings = readSettings(process.env);
  if (!settings.isOn) {
    const { problem } = settings;
    return {
      tracing: undefined,
      logTo(logger) {
        if (problem !== undefined) logger.warn({ problem }, 'traces are off');
      },
    };
  }
  const { createTracing } = await import('./opentelemetry/create-tracing');
  const tracing = createTracing({ ...service, endpoint: settings.endpoint });
  return {
    tracing,
    logTo(logger) {
      logger.info({ endpoint: tracing.endpoint }, 'traces are exported');
      tracing.reportTo(logger);
    },
  };
}
