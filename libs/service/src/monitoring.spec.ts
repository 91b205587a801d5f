import { awakeTime } from '@cds/testing';
import fc from 'fast-check';
import { createMonitoring, formatGoDuration, versionInfo } from './index';

describe('formatGoDuration', () => {
  // As `fmt.Println(time.Duration(…))` prints them.
  it.each([
    [0, '0s'],
    [0.0001, '0s'],
    [0.25, '250µs'],
    [1.5, '1.5ms'],
    [350, '350ms'],
    [1_000, '1s'],
    [1_500, '1.5s'],
    [60_000, '1m0s'],
    [3_600_000, '1h0m0s'],
    [3_723_500, '1h2m3.5s'],
    [360_000_000, '100h0m0s'],
    [-90_000, '-1m30s'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatGoDuration(ms)).toBe(text);
  });

  it('can be read back', () => {
    const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, µs: 0.001 };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 14 }), (micros) => {
        const text = formatGoDuration(micros / 1_000);
        const parts = [...text.matchAll(/([\d.]+)(h|ms|µs|m|s)/g)];
        expect(parts.map(([part]) => part).join('')).toBe(text);
        const sum = parts.reduce(
          (total, [, amount, unit]) => total + Number(amount) * (units[unit ?? ''] ?? NaN),
          0,
        );
        expect(sum).toBeCloseTo(micros / 1_000, 2);
      }),
    );
  });
});

describe('versionInfo', () => {
  it('names the machine as Go does', () => {
    const info = versionInfo();
    expect(Object.keys(info)).toEqual([
      'version',
      'architecture',
      'os',
      'git_hash',
      'build_time',
      'db_migrate',
    ]);
    expect(info).toMatchObject({ version: 'snapshot', os: process.platform, db_migrate: null });
    expect(info.architecture).not.toBe('x64');
  });
});

describe('createMonitoring', () => {
  const maxHeartbeatFailures = 2;

  it('begins with the lines of every CDS service', async () => {
    const monitoring = createMonitoring({ maxHeartbeatFailures });
    const { now, lines } = await monitoring.status();
    expect(new Date(now).toISOString()).toBe(now);
    const [, hours, minutes, seconds] = /T(..):(..):(..)/.exec(now) ?? [];
    expect(lines).toEqual([
      { status: 'OK', component: 'Version', value: 'snapshot', type: '' },
      {
        status: 'OK',
        component: 'Uptime',
        value: expect.stringMatching(/^(\d+h)?(\d+m)?[\d.]+s$|ms$/),
        type: '',
      },
      { status: 'OK', component: 'Time', value: `${hours}h${minutes}m${seconds}s`, type: '' },
    ]);
  });

  it.each([
    [{ registered: false, failuresInARow: 0 }, 'WARN', 'not registered yet'],
    [{ registered: true, failuresInARow: 0 }, 'OK', 'registered'],
    [{ registered: true, failuresInARow: 2 }, 'WARN', '2 failed heartbeats in a row'],
    [{ registered: true, failuresInARow: 3 }, 'AL', '3 failed heartbeats in a row'],
    [{ registered: false, failuresInARow: 3 }, 'AL', '3 failed heartbeats in a row'],
  ])('tells how it stands with the API: %j', async (registration, status, value) => {
    const monitoring = createMonitoring({ maxHeartbeatFailures });
    monitoring.watch(registration);
    const { lines } = await monitoring.status();
    expect(lines[3]).toEqual({ status, component: 'CDS API', value, type: '' });
  });

  it('adds the lines of the service', async () => {
    const queue = { status: 'OK' as const, component: 'Queue', value: '0', type: '' };
    const monitoring = createMonitoring({ maxHeartbeatFailures });
    monitoring.add(async () => [queue]);
    const { lines } = await monitoring.status();
    expect(lines.at(-1)).toEqual(queue);
  });

  it.each([
    ['fail', () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1:6379'))],
    ['hang', () => new Promise<never>(() => undefined)],
  ])(
    'answers within 2 s also when the lines of the service %s, without the reason',
    async (_how, extra) => {
      const monitoring = createMonitoring({ maxHeartbeatFailures });
      monitoring.add(extra);
      expect(await awakeTime(monitoring.status)).toBeLessThan(2_500);
      expect((await monitoring.status()).lines.slice(3)).toEqual([
        {
          status: 'AL',
          component: 'Monitoring',
          value: 'the state of this service cannot be read',
          type: '',
        },
      ]);
    },
  );
});
