import { parseUrl } from '@cds/network';
import type { Tracing } from './opentelemetry/create-tracing';
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

/** Whether spans are exported, and where to. */
export type TracingSettings =
  | { isOn: true; /** Without credentials and query. */ endpoint: string }
  /** `problem`: why traces are off although there is an endpoint. */
  | { isOn: false; problem?: string };

/**
 * Reads whether `env` wants traces. All other variables of OpenTelemetry are read by its SDK.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function readSettings(env: NodeJS.ProcessEnv): TracingSettings {
  const of = (name: string) => env[name]?.trim() ?? '';
  const ofTraces = (name: string) =>
    of(`OTEL_EXPORTER_OTLP_TRACES_${name}`) || of(`OTEL_EXPORTER_OTLP_${name}`);
  const endpoint = ofTraces('ENDPOINT');
  const exporter = of('OTEL_TRACES_EXPORTER');
  const isDisabled = of('OTEL_SDK_DISABLED').toLowerCase() === 'true';
  if (endpoint === '' || isDisabled || exporter === 'none') return { isOn: false };
  const off = (problem: string) => ({ isOn: false, problem }) as const;
  if (exporter !== '' && exporter !== 'otlp')
    return off('OTEL_TRACES_EXPORTER must be otlp or none');
  if (ofTraces('PROTOCOL') === 'grpc')
    return off(
      'OTEL_EXPORTER_OTLP_PROTOCOL must not be grpc: name the port of the collector for HTTP, 4318 as a rule',
    );
  // The value may hold a password.
  const url = parseUrl(endpoint);
  if (!url) return off('the endpoint of OTLP is no URL');
  const { protocol, origin, pathname, search, hash } = url;
  if (!['http:', 'https:'].includes(protocol))
    return off('the endpoint of OTLP must begin with http:// or https://');
  if (search !== '' || hash !== '')
    return off('the endpoint of OTLP must end without ? and #: use OTEL_EXPORTER_OTLP_HEADERS');
  return { isOn: true, endpoint: origin + pathname };
}
