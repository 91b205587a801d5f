import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countResults, describeResult, markdownList, markdownPage } from './matrix/report';
import { type FaultResult, runFault } from './matrix/run-fault';
import { createRandom } from './seeded-random';
import { createCommandReader } from './stage/resp-commands';

describe('createRandom', () => {
  const draw = (seed: number) => {
    const random = createRandom(seed);
    return [random.fraction(), random.between(1, 1_000_000), random.shuffled([1, 2, 3, 4, 5])];
  };

  it('makes the same choices with the same seed, others with another', () => {
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('forks generators that do not disturb each other', () => {
    const [one, other] = [createRandom(7), createRandom(7)];
    one.fork('load').fraction();
    expect(one.fraction()).toBe(other.fraction());
    expect(one.fork('load').fraction()).not.toBe(one.fork('API').fraction());
  });

  it('chooses from all that there is', () => {
    const random = createRandom(1);
    const drawn = new Set(Array.from({ length: 200 }, () => random.between(3, 6)));
    expect([...drawn].toSorted()).toEqual([3, 4, 5, 6]);
    expect(() => random.pick([])).toThrow('nothing to choose from');
  });
});

describe('createCommandReader', () => {
  const command = (...words: string[]) =>
    Buffer.from(
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
    );

  it('finds commands however their bytes are cut', () => {
    const bytes = Buffer.concat([command('EVALSHA', 'abc', '1', 'ключ'), command('PING')]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const read = createCommandReader();
      const commands = [...read(bytes.subarray(0, cut)), ...read(bytes.subarray(cut))];
      expect(commands.map(({ words }) => words)).toEqual([
        ['EVALSHA', 'abc', '1', 'ключ'],
        ['PING'],
      ]);
      expect(Buffer.concat(commands.map((one) => one.bytes))).toEqual(bytes);
    }
  });

  it('refuses what is no command', () => {
    expect(() => createCommandReader()(Buffer.from('PING\r\n'))).toThrow('PING');
  });
});

describe('shift-date.cjs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cds-shift-date-'));
  const file = join(folder, 'clock');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (script: string): unknown =>
    JSON.parse(
      execFileSync(
        process.execPath,
        [
          '--require',
          join(__dirname, 'shift-date.cjs'),
          '-e',
          `console.log(JSON.stringify(${script}))`,
        ],
        { env: { FAULTS_CLOCK_FILE: file }, encoding: 'utf8' },
      ),
    );

  it('shifts the time of now, in every form, and nothing else', () => {
    writeFileSync(file, String(90_000_000));
    const [now, made, text, fixed, utc, isDate] = run(
      '[Date.now(), new Date().getTime(), Date.parse(Date()), new Date(5).getTime(), Date.UTC(1970, 0, 2), new Date() instanceof Date]',
    ) as number[];
    for (const moment of [now, made, text])
      expect(Math.abs((moment ?? 0) - Date.now() - 90_000_000)).toBeLessThan(10_000);
    expect([fixed, utc, isDate]).toEqual([5, 86_400_000, true]);
  });

  it('sees that the clock is set while the process runs', () => {
    writeFileSync(file, '0');
    const script = `(() => { const before = Date.now(); require('node:fs').writeFileSync(${JSON.stringify(file)}, '-90000000'); const until = performance.now() + 50; while (performance.now() < until); return Date.now() - before; })()`;
    expect(Math.abs((run(script) as number) + 90_000_000)).toBeLessThan(10_000);
  });
});

describe('the report', () => {
  const result: FaultResult = {
    name: 'redis-killed',
    what: 'Redis is killed',
    checks: '',
    seed: 42,
    accepted: 10,
    runs: 9,
    cleanups: 0,
    doublesAllowed: 0,
    doublesBecause: '',
    doubles: 0,
    firstRunMs: 1_250,
    drainedMs: undefined,
    peakRssMb: 120,
    tookMs: 5_000,
    violations: [{ kind: 'lost', sentence: 'The run abc was never started.' }],
    folder: 'tmp/faults/redis-killed-42',
  };

  it('says of a failure what was lost, with which seed, and where the logs are', () => {
    const text = describeResult(result);
    expect(text).toContain('✖ redis-killed');
    expect(text).toContain('The run abc was never started.');
    expect(text).toContain('--only redis-killed --seed 42');
    expect(text).toContain('tmp/faults/redis-killed-42');
  });

  it('says why a fault was not played, and counts it as neither passed nor failed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cds-skipped-fault-'));
    const play = jest.fn();
    const skipped = await runFault(
      { name: 'broker-killed', what: 'a', play, skipped: () => 'There is no broker.' },
      { seed: 1, folder, long: false, keep: false },
    );
    rmSync(folder, { recursive: true, force: true });
    expect(play).not.toHaveBeenCalled();
    expect(describeResult(skipped)).toMatch(/^– broker-killed +skipped: There is no broker\.$/);
    expect(markdownList([skipped])).toContain('`broker-killed` skipped: A.');
    const passed = { ...result, violations: [] };
    expect(countResults([result, passed, skipped])).toEqual({ passed: 1, failed: 1, skipped: 1 });
  });

  it('says how long after a fault the first run came at most', () => {
    const page = markdownPage([result, { ...result, firstRunMs: 11_600 }]);
    expect(page).toContain("came 11.6 s after a fault's end at most");
  });

  it('has an item for each fault in the list', () => {
    const items = markdownList([result, { ...result, violations: [] }])
      .trim()
      .split('\n- ');
    expect(items).toHaveLength(2);
    expect(items[0]).toContain('`redis-killed` FAILED: ');
    expect(items[1]).toBe('`redis-killed`: Redis is killed.');
  });
});
