export { startTracing, type StartedTracing } from './start-tracing';
export type { Tracing } from './opentelemetry/create-tracing';
export type { Attributes, Carrier, Span, SpanStart } from './tracing';
