import supertest from 'supertest';
import { captureLogger } from '@cds/testing';
import { DESCRIPTION } from '../../test/description';
import { countFromZero, createHttpApp, createMetrics, createRouter, type Metrics } from '../index';

function build(metrics = createMetrics({ service: 'hooks' })) {
  const app = createHttpApp({
    logger: captureLogger().logger,
    callers: { isAllowed: () => false },
    monitoring: async () => ({ now: '', lines: [] }),
    guarded: createRouter(),
    metrics,
    trustedProxies: ['127.0.0.0/8', '::1'],
    open: createRouter().get(
      '/ip',
      DESCRIPTION,
      () => (req, res) => void res.type('text/plain').end(req.ip),
    ),
  });
  return { metrics, app: supertest(app) };
}

describe('/mon/metrics', () => {
  it('shows what was counted, the process and the build', async () => {
    const { metrics, app } = build();
    const counter = metrics.counter({
      name: 'cds_hooks_things_total',
      help: 'Things.',
      labels: ['result'],
    });
    counter.inc({ result: 'done' }, 2);
    metrics.gauge({
      name: 'cds_hooks_waiting',
      help: 'Read when asked for.',
      collect() {
        this.set(7);
      },
    });
    metrics.histogram({ name: 'cds_hooks_seconds', help: 'Time.', buckets: [1] }).observe(0.5);

    const { status, headers, text } = await app.get('/mon/metrics');

    expect([status, headers['content-type']]).toEqual([200, expect.stringContaining('text/plain')]);
    expect(text).toContain('cds_hooks_things_total{result="done"} 2');
    expect(text).toContain('cds_hooks_waiting 7');
    expect(text).toContain('cds_hooks_seconds_bucket{le="1"} 1');
    expect(text).toMatch(/^cds_hooks_build_info\{version="[^"]+",commit="[^"]*",node="v\d/m);
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });

  it('shows a counter at 0 for each combination of the values of its labels', async () => {
    const { metrics, app } = build();
    const labels = ['kind', 'result'] as const;
    const counter = metrics.counter({ name: 'cds_hooks_things_total', help: 'Things.', labels });

    countFromZero(counter, { kind: ['one', 'other'], result: ['done', 'failed'] });

    const { text } = await app.get('/mon/metrics');
    expect(text.match(/^cds_hooks_things_total.*$/gm)).toEqual([
      'cds_hooks_things_total{kind="one",result="done"} 0',
      'cds_hooks_things_total{kind="one",result="failed"} 0',
      'cds_hooks_things_total{kind="other",result="done"} 0',
      'cds_hooks_things_total{kind="other",result="failed"} 0',
    ]);
  });

  it('adds up what the processes of a service count, and takes from all what all read', async () => {
    const counted = (metrics: Metrics, own: number): Metrics => {
      metrics.counter({ name: 'cds_hooks_things_total', help: 'Things.' }).inc(own);
      metrics.gauge({ name: 'cds_hooks_waiting', help: 'Of all.' }).set(7);
      metrics.counter({ name: 'cds_hooks_lost_total', help: 'Of all.', aggregator: 'max' }).inc(3);
      metrics.histogram({ name: 'cds_hooks_seconds', help: 'Time.', buckets: [1] }).observe(own);
      return metrics;
    };
    const others = [2, 3].map((own) => counted(createMetrics({ service: 'hooks' }), own));
    const values = () => Promise.all(others.map((metrics) => metrics.values()));
    const main = counted(createMetrics({ service: 'hooks', others: { values } }), 1);
    const text = async () => (await main.text()).text;
    const worker = createMetrics({ service: 'hooks', others: { text } });

    const answers = [build(main), build(worker)].map(({ app }) => app.get('/mon/metrics'));
    for (const { text } of await Promise.all(answers)) {
      expect(text.match(/^cds_hooks_(things|waiting|lost|seconds).*$/gm)).toEqual([
        'cds_hooks_things_total 6',
        'cds_hooks_waiting 7',
        'cds_hooks_lost_total 3',
        'cds_hooks_seconds_bucket{le="1"} 1',
        'cds_hooks_seconds_bucket{le="+Inf"} 3',
        'cds_hooks_seconds_sum 6',
        'cds_hooks_seconds_count 3',
      ]);
      expect(text).toMatch(/^cds_hooks_build_info\{.*\} 1$/m);
    }
  });

  it('keeps the registries of two services apart', async () => {
    const first = build();
    first.metrics.counter({ name: 'cds_hooks_only_here', help: 'x' });

    expect((await build().app.get('/mon/metrics')).text).not.toContain('cds_hooks_only_here');
  });
});

describe('trusted proxies', () => {
  it('tell the address of the sender', async () => {
    const { app } = build();

    expect((await app.get('/ip').set('X-Forwarded-For', '203.0.113.9')).text).toBe('203.0.113.9');
    expect((await app.get('/ip').set('X-Forwarded-For', '198.51.100.1, 203.0.113.9')).text).toBe(
      '203.0.113.9',
    );
  });
});
