import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

/** A span as a collector gets it. */
export interface ReceivedSpan {
  /** Attributes of its resource. */
  resource: Record<string, unknown>;
  name: string;
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  /** The traces that it has links to. */
  linkedTraces: string[];
  attributes: Record<string, unknown>;
  hasFailed: boolean;
  /** Milliseconds since 1970. */
  startMs: number;
  endMs: number;
}

export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  url: string;
  /** In the order of their arrival. */
  spans(): ReceivedSpan[];
  /** Each request as it came, refused ones too. */
  requests(): { headers: IncomingHttpHeaders; body: string }[];
  /** What the protocol does not allow. */
  violations(): string[];
  /** From now on requests are answered so. */
  answerWith(status: number | 'nothing', body?: string): void;
  stop(): Promise<void>;
}

const KINDS = ['internal', 'server', 'client', 'producer', 'consumer'] as const;
const id = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
    .refine((hex) => !/^0+$/.test(hex));
const nanoseconds = z.string().regex(/^\d{19}$/);
const count = z.int().nonnegative().optional();
const attributes = z.array(
  z.strictObject({
    key: z.string().min(1),
    value: z.union([
      z.strictObject({ stringValue: z.string() }),
      z.strictObject({ boolValue: z.boolean() }),
      z.strictObject({ intValue: z.union([z.int(), z.string().regex(/^-?\d+$/)]) }),
      z.strictObject({ doubleValue: z.number() }),
    ]),
  }),
);
/** https://github.com/open-telemetry/opentelemetry-proto: trace.proto, in its JSON mapping. */
const traces = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes, droppedAttributesCount: count }),
      schemaUrl: z.string().optional(),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string().min(1), version: z.string().optional() }),
          schemaUrl: z.string().optional(),
          spans: z
            .array(
              z.strictObject({
                traceId: id(16),
                spanId: id(8),
                parentSpanId: id(8).optional(),
                traceState: z.string().optional(),
                flags: z.int().optional(),
                name: z.string().min(1),
                kind: z.int().min(1).max(5),
                startTimeUnixNano: nanoseconds,
                endTimeUnixNano: nanoseconds,
                attributes,
                droppedAttributesCount: count,
                events: z.array(z.never()),
                droppedEventsCount: count,
                links: z.array(
                  z.strictObject({
                    traceId: id(16),
                    spanId: id(8),
                    traceState: z.string().optional(),
                    flags: z.int().optional(),
                    attributes,
                    droppedAttributesCount: count,
                  }),
                ),
                droppedLinksCount: count,
                status: z.strictObject({ code: z.int().min(0).max(2) }),
              }),
            )
            .min(1),
        }),
      ),
    }),
  ),
});

/**
 * A collector for OTLP over HTTP in JSON that takes what the protocol allows and nothing else. Our
 * spans have no events and no messages of errors: those would be violations, too.
 */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: { headers: IncomingHttpHeaders; body: string }[] = [];
  const violations: string[] = [];
  let answer: { status: number | 'nothing'; body: string } = { status: 200, body: '{}' };

  function take({ method, url, headers }: IncomingMessage, body: string): number | 'nothing' {
    requests.push({ headers, body });
    if (answer.status !== 200) return answer.status;
    if (url !== '/v1/traces') return refuse(404, `${method} ${url}`);
    if (method !== 'POST') return refuse(405, `${method} ${url}`);
    if (headers['content-type'] !== 'application/json')
      return refuse(415, `Content-Type: ${headers['content-type']}`);
    const parsed = traces.safeParse(json(body));
    if (!parsed.success) return refuse(400, z.prettifyError(parsed.error));
    spans.push(...readSpans(parsed.data));
    return 200;
  }

  function refuse(status: number, why: string): number {
    violations.push(why);
    return status;
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const status = take(request, Buffer.concat(chunks).toString());
      if (status === 'nothing') return;
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(status === answer.status ? answer.body : '{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => [...spans],
    requests: () => [...requests],
    violations: () => [...violations],
    answerWith(status, body = '{}') {
      answer = { status, body };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readSpans({ resourceSpans }: z.infer<typeof traces>): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        resource: valuesOf(resource.attributes),
        name: span.name,
        kind: KINDS[span.kind - 1] ?? 'internal',
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        linkedTraces: span.links.map(({ traceId }) => traceId),
        attributes: valuesOf(span.attributes),
        hasFailed: span.status.code === 2,
        startMs: Number(span.startTimeUnixNano) / 1e6,
        endMs: Number(span.endTimeUnixNano) / 1e6,
      })),
    ),
  );
}

function valuesOf(list: z.infer<typeof attributes>): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}
