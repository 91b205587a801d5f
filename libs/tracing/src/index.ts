export { startTracing, type StartedTracing } from './start-tracing';
export type { Attributes, Carrier, Span, SpanStart, Tracing } from './tracing';
