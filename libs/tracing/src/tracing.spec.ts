import { captureLogger, startOtlpReceiver, waitFor, type OtlpReceiver } from '@cds/testing';
import { startTracing, type Tracing } from '.';
import { createFailureReports } from './opentelemetry/report-failures';
import { readSettings } from './start-tracing';

const SERVICE = { service: 'hooks', name: 'hooks-1', version: '1.2.3' };
/** Of `stopMs`. */
const STOP_MS = 3_000;
const REMOTE = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${REMOTE}-b7ad6b7169203331-01`;
/** How OpenTelemetry marks that anything of it is in use. */
const IN_USE = Symbol.for('opentelemetry.js.api.1');

const globals = globalThis as unknown as Record<symbol, unknown>;
const environment = { ...process.env };
let receiver: OtlpReceiver;
let tracing: Tracing | undefined;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(async () => {
  await tracing?.stop();
  tracing = undefined;
  await receiver.stop();
  process.env = { ...environment };
  globals[IN_USE] = undefined;
});

async function start(env: Record<string, string> = {}): Promise<Tracing> {
  Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env });
  ({ tracing } = await startTracing(SERVICE));
  if (!tracing) throw new Error('traces are off');
  return tracing;
}

/** All spans, exported to the last one. */
async function exported() {
  await tracing?.stop();
  expect(receiver.violations()).toEqual([]);
  return receiver.spans();
}

describe('traces', () => {
  it.each([
    [{}],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    [{ OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'TRUE' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'none' }],
  ])('are off with %j, and nothing of OpenTelemetry is in use', async (env) => {
    Object.assign(process.env, env);
    const started = await startTracing(SERVICE);
    const { logger, lines } = captureLogger();
    started.logTo(logger);
    expect(started.tracing).toBeUndefined();
    expect(lines).toEqual([]);
    expect(globals[IN_USE]).toBeUndefined();
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector secret' }, 'is no URL'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector-secret:4317' }, 'http://'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/?secret=1' }, 'OTEL_EXPORTER_OTLP_HEADERS'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'zipkin' }, 'otlp'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, '4318'],
  ])('stay off with %j, and the log says why', async (env, why) => {
    Object.assign(process.env, env);
    const started = await startTracing(SERVICE);
    const { logger, lines } = captureLogger();
    started.logTo(logger);
    expect(started.tracing).toBeUndefined();
    expect(lines).toMatchObject([{ level: 40, msg: 'traces are off' }]);
    expect(JSON.stringify(lines)).toContain(why);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('go where the variable for traces alone says, without its credentials in the log', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://other',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://user:secret@collector/v1/traces',
    };
    expect(readSettings(env)).toEqual({ isOn: true, endpoint: 'https://collector/v1/traces' });
  });

  it('have the names that the variables give them, and ours where they give none', async () => {
    (await start()).record({ name: 'one', kind: 'internal', durationMs: 1 });
    expect((await exported())[0]?.resource).toEqual({
      'service.name': 'cds-hooks',
      'service.version': '1.2.3',
      'service.instance.id': 'hooks-1',
    });
    const env = {
      OTEL_SERVICE_NAME: 'deliveries',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.instance.id=pod-7',
    };
    (await start(env)).record({ name: 'two', kind: 'internal', durationMs: 1 });
    expect((await exported())[1]?.resource).toMatchObject({
      'service.name': 'deliveries',
      'service.instance.id': 'pod-7',
      'deployment.environment.name': 'test',
    });
  });

  it('are sampled, batched and sent with headers as the variables say', async () => {
    const own = await start({
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=canary%20key',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
      OTEL_BSP_SCHEDULE_DELAY: '1',
    });
    for (const name of ['a', 'b', 'c']) own.record({ name, kind: 'client', durationMs: 1 });
    expect(await exported()).toHaveLength(3);
    expect(receiver.requests().map(({ headers }) => headers['api-key'])).toEqual(
      receiver.requests().map(() => 'canary key'),
    );
    expect(receiver.requests().length).toBeGreaterThan(1);

    const unsampled = await start({ OTEL_TRACES_SAMPLER: 'always_off' });
    await unsampled.run({ name: 'x', kind: 'server', parent: {} }, async () => {
      expect(unsampled.traceparent()).toMatch(/^00-.*-00$/);
      expect(unsampled.headers()).toMatchObject({ 'x-b3-sampled': '0' });
    });
    expect(await exported()).toHaveLength(3);
  });
});

describe('a span', () => {
  it('is active in what it begins until it ends, and its context goes on in W3C and B3', async () => {
    const own = await start();
    expect(own.traceparent()).toBeUndefined();
    expect(own.headers()).toBeUndefined();
    let later: Promise<unknown> = Promise.resolve();
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const sent = await own.run({ name: 'outer', kind: 'server', parent: {} }, async () => {
      later = released.then(() => own.logFields());
      await Promise.resolve();
      own.record({ name: 'inner', kind: 'client', durationMs: 5, failure: 'timeout' });
      return { headers: own.headers(), log: own.logFields(), stored: own.traceparent() };
    });
    release();
    expect(await later).toEqual({});

    const [inner, outer] = await exported();
    if (!inner || !outer) throw new Error('spans are missing');
    const { traceId, spanId } = outer;
    expect(sent).toEqual({
      headers: {
        traceparent: `00-${traceId}-${spanId}-01`,
        'x-b3-traceid': traceId,
        'x-b3-spanid': spanId,
        'x-b3-sampled': '1',
      },
      log: { trace_id: traceId, span_id: spanId },
      stored: `00-${traceId}-${spanId}-01`,
    });
    expect(outer).toMatchObject({ kind: 'server', hasFailed: false, parentSpanId: undefined });
    expect(inner).toMatchObject({ traceId, parentSpanId: spanId, kind: 'client', hasFailed: true });
    expect(inner.attributes).toEqual({ 'error.type': 'timeout' });
    // Times of day in ms have no exact fractions.
    expect(Math.round(inner.endMs - inner.startMs)).toBeGreaterThanOrEqual(5);
  });

  it.each([
    ['W3C', { traceparent: TRACEPARENT }],
    ['B3', { 'x-b3-traceid': REMOTE, 'x-b3-spanid': 'b7ad6b7169203331', 'x-b3-sampled': '1' }],
    [
      'both',
      { traceparent: TRACEPARENT, 'x-b3-traceid': 'f'.repeat(32), 'x-b3-spanid': 'f'.repeat(16) },
    ],
  ])('continues a context of %s', async (_, parent) => {
    await (await start()).run({ name: 'x', kind: 'server', parent }, async () => undefined);
    expect(await exported()).toMatchObject([{ traceId: REMOTE, parentSpanId: 'b7ad6b7169203331' }]);
  });

  it.each([undefined, '', 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`])(
    'begins a trace where the context is %j',
    async (traceparent) => {
      const parent = { traceparent };
      await (await start()).run({ name: 'x', kind: 'server', parent }, async () => undefined);
      expect(await exported()).toMatchObject([{ parentSpanId: undefined, linkedTraces: [] }]);
    },
  );

  it('only links to the context of a stranger', async () => {
    const start_ = { name: 'x', kind: 'server', parent: {}, link: { traceparent: TRACEPARENT } };
    await (await start()).run(start_ as never, async () => undefined);
    const [span] = await exported();
    expect(span).toMatchObject({ parentSpanId: undefined, linkedTraces: [REMOTE] });
    expect(span?.traceId).not.toBe(REMOTE);
  });

  it('joins the trace that it is part of, and links to the request that led to it', async () => {
    const own = await start();
    const partOf = { traceparent: TRACEPARENT };
    await own.run({ name: 'request', kind: 'server', parent: {} }, () =>
      own.run({ name: 'status', kind: 'internal', partOf }, async () => undefined),
    );
    await own.run({ name: 'request', kind: 'server', parent: partOf }, () =>
      own.run({ name: 'status', kind: 'internal', partOf }, async () => undefined),
    );
    const [status, request, same, joined] = await exported();
    expect(status).toMatchObject({ traceId: REMOTE, parentSpanId: 'b7ad6b7169203331' });
    expect(status?.linkedTraces).toEqual([request?.traceId]);
    expect(same).toMatchObject({ traceId: REMOTE, parentSpanId: joined?.spanId, linkedTraces: [] });
  });

  it('fails with the kind of the error, not with its words; long texts are cut to whole characters', async () => {
    const own = await start();
    const error = Object.assign(new Error('canary-secret'), { kind: 'refused' });
    const attributes = {
      ...{ long: 'x'.repeat(1_000), none: undefined, number: 7 },
      ...{ half: '\ud83d', split: `${'x'.repeat(255)}😀` },
    };
    await expect(
      own.run({ name: 'x', kind: 'client', attributes }, () => Promise.reject(error)),
    ).rejects.toBe(error);
    await own.run({ name: 'left out', kind: 'server' }, async (span) => span.discard());
    expect(await exported()).toMatchObject([{ name: 'x', hasFailed: true }]);
    expect(receiver.spans()[0]?.attributes).toEqual({
      ...{ long: 'x'.repeat(256), number: 7, 'error.type': 'refused' },
      ...{ half: '\ufffd', split: `${'x'.repeat(255)}\ufffd` },
    });
    expect(JSON.stringify(receiver.requests())).not.toContain('canary');
  });
});

describe('a collector that refuses', () => {
  it('is warned of once, with what to do and without the headers of the export', async () => {
    const own = await start({
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20canary-header',
      OTEL_BSP_SCHEDULE_DELAY: '1',
      OTEL_TRACES_SAMPLER: 'nonsense',
    });
    const { logger, lines } = captureLogger();
    own.reportTo(logger);
    receiver.answerWith(401, '{"message":"no: Bearer canary-header"}');
    for (const count of [1, 2, 3]) {
      own.record({ name: 'x', kind: 'internal', durationMs: 1 });
      await waitFor(() => receiver.requests().length >= count, { what: `export ${count}` });
    }
    await own.stop();
    expect(lines).toMatchObject([
      { level: 40, msg: 'OpenTelemetry warns', reason: expect.stringContaining('SAMPLER') },
      {
        level: 40,
        msg: expect.stringContaining('traces not exported: check the collector'),
        endpoint: `${receiver.url}/`,
        reason: '401 Unauthorized',
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('canary');
  });

  it('is warned of without the credentials of its URL, whatever is in them', () => {
    const endpoint = 'http://me:p@ssword@collector';
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
    const { exportFailed, reportTo } = createFailureReports('http://collector', env);
    const { logger, lines } = captureLogger();
    reportTo(logger);
    exportFailed(new Error(`no answer of ${endpoint}`));
    expect(lines).toMatchObject([{ reason: 'no answer of http://***@collector' }]);
  });

  it('is not waited for when it hangs: the end takes the time that it may take, no more', async () => {
    const { logger, lines } = captureLogger();
    const own = await start({ OTEL_EXPORTER_OTLP_TIMEOUT: `${STOP_MS + 1_000}` });
    own.reportTo(logger);
    receiver.answerWith('nothing');
    own.record({ name: 'x', kind: 'internal', durationMs: 1 });
    await own.stop();
    expect(receiver.requests()).toHaveLength(1);
    expect(lines).toEqual([]);
    await waitFor(() => lines.length === 1, { what: 'the export to fail' });
  });
});
