import {
  context,
  type Context,
  createContextKey,
  defaultTextMapGetter,
  defaultTextMapSetter,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Attributes, Carrier, Span, SpanStart } from '../tracing';
import { createFailureReports } from './report-failures';

/** Characters of an attribute: names come from Redis and from outside. */
const MAX_TEXT = 256;
/** For the last spans, when the service ends. */
const STOP_MS = 3_000;

const SPAN_KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

/** Our span that is active in a context, and whether it has ended. */
interface ActiveSpan {
  span: OtelSpan;
  context: Context;
  hasEnded: boolean;
}
const ACTIVE = createContextKey('active span of @cds/tracing');

export type Tracing = ReturnType<typeof createTracing>;

/**
 * Loads the SDK and starts the export, by the variables of OpenTelemetry. Nothing of the result
 * throws or waits for the collector.
 */
export function createTracing(service: {
  service: string;
  name: string;
  version: string;
  endpoint: string;
}) {
  const failures = createFailureReports(service.endpoint, process.env);
  // Its Context follows promises and timers, so that no call has to hand it on.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const w3c = new W3CTraceContextPropagator();
  const b3 = new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER });
  // The last one that finds a context wins.
  const both = new CompositePropagator({ propagators: [b3, w3c] });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': `cds-${service.service}`,
      'service.version': service.version,
      'service.instance.id': service.name,
    }).merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('cds-bitbucket-cloud', service.version);

  const readContext = (carrier: Carrier) =>
    both.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);

  function active(): ActiveSpan | undefined {
    const found = context.active().getValue(ACTIVE) as ActiveSpan | undefined;
    return found?.hasEnded === false ? found : undefined;
  }

  function startSpan(start: SpanStart, startTime?: number): { span: OtelSpan; parent: Context } {
    const { name, kind, parent: given, partOf, link, attributes = {} } = start;
    const current = active();
    const links = link ? linksTo(readContext(link)) : [];
    let parent = given ? readContext(given) : (current?.context ?? ROOT_CONTEXT);
    const whole = partOf && readContext(partOf);
    if (whole && trace.getSpanContext(whole) && traceIdOf(whole) !== traceIdOf(parent)) {
      links.push(...linksTo(parent));
      parent = whole;
    }
    const options = { kind: SPAN_KINDS[kind], attributes: cut(attributes), links };
    const span = tracer.startSpan(
      name,
      startTime === undefined ? options : { ...options, startTime },
      parent,
    );
    return { span, parent };
  }

  function begin(start: SpanStart): Span {
    const { span, parent } = startSpan(start);
    const own: ActiveSpan = { span, context: trace.setSpan(parent, span), hasEnded: false };
    const inside = own.context.setValue(ACTIVE, own);
    let isDiscarded = false;
    return {
      set: (attributes) => void span.setAttributes(cut(attributes)),
      rename: (name) => void span.updateName(name),
      fail: (type) => fail(span, type),
      discard() {
        isDiscarded = true;
      },
      within: (work) => context.with(inside, work),
      end() {
        own.hasEnded = true;
        // The SDK exports ended spans alone.
        if (!isDiscarded) span.end();
      },
    };
  }

  return {
    /** Where spans go: no credentials, no query. */
    endpoint: service.endpoint,
    begin,
    /** Does `work` within a span, which fails where it rejects. */
    async run<T>(start: SpanStart, work: (span: Span) => Promise<T>): Promise<T> {
      const span = begin(start);
      try {
        return await span.within(() => work(span));
      } catch (error) {
        span.fail(typeOf(error));
        throw error;
      } finally {
        span.end();
      }
    },
    /** A span of what ended just now. @param failure why it failed, one of few */
    record({
      durationMs,
      failure,
      ...start
    }: SpanStart & { durationMs: number; failure?: string | undefined }): void {
      const { span } = startSpan(start, Date.now() - durationMs);
      if (failure !== undefined) fail(span, failure);
      span.end();
    },
    /** Adds to the active span. */
    annotate: (attributes: Attributes): void => void active()?.span.setAttributes(cut(attributes)),
    /** The W3C context of the active span, to store it. */
    traceparent(): string | undefined {
      const current = active();
      if (!current) return undefined;
      const carrier: { traceparent?: string } = {};
      w3c.inject(current.context, carrier, defaultTextMapSetter);
      return carrier.traceparent;
    },
    /** Context of the active span for the CDS API: W3C, and B3, which CDS 0.41 to 0.57 reads. */
    headers(): Record<string, string> | undefined {
      const current = active();
      if (!current) return undefined;
      const carrier: Record<string, string> = {};
      both.inject(current.context, carrier, defaultTextMapSetter);
      return carrier;
    },
    /** `trace_id` and `span_id` of the active span. */
    logFields(): Record<string, string> {
      const current = active();
      if (!current) return {};
      const { traceId, spanId } = current.span.spanContext();
      return { trace_id: traceId, span_id: spanId };
    },
    /** Where failures of the export are reported, once a minute. */
    reportTo: failures.reportTo,
    stopMs: STOP_MS,
    /** Exports what is left within `stopMs`. */
    async stop(): Promise<void> {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, STOP_MS)));
      await Promise.race([provider.shutdown().catch(failures.exportFailed), late]);
      clearTimeout(timer);
    },
  };
}

function traceIdOf(of: Context): string | undefined {
  return trace.getSpanContext(of)?.traceId;
}

function linksTo(of: Context): Link[] {
  const spanContext = trace.getSpanContext(of);
  return spanContext && isSpanContextValid(spanContext) ? [{ context: spanContext }] : [];
}

/** Without the message, which may repeat a payload. */
function fail(span: OtelSpan, type: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** The kind of one of our errors, else its class. */
function typeOf(error: unknown): string {
  const { kind, name } = (typeof error === 'object' && error !== null ? error : {}) as {
    kind?: unknown;
    name?: unknown;
  };
  for (const word of [kind, name])
    if (typeof word === 'string' && /^[\w-]{1,50}$/.test(word)) return word;
  return 'unknown';
}

function cut(attributes: Attributes): Record<string, string | number | boolean> {
  const known: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) known[name] = typeof value === 'string' ? cutText(value) : value;
  return known;
}

/** Half a character, from outside or left by the cut, would be refused with all spans beside it. */
function cutText(text: string): string {
  return Buffer.from(text.slice(0, MAX_TEXT)).toString();
}
