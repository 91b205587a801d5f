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
  if (!URL.canParse(endpoint)) return off('the endpoint of OTLP is no URL');
  const { protocol, origin, pathname, search, hash } = new URL(endpoint);
  if (!['http:', 'https:'].includes(protocol))
    return off('the endpoint of OTLP must begin with http:// or https://');
  if (search !== '' || hash !== '')
    return off('the endpoint of OTLP must end without ? and #: use OTEL_EXPORTER_OTLP_HEADERS');
  return { isOn: true, endpoint: origin + pathname };
}
