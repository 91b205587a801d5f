import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { waitFor } from '@cds/testing';
import { writeWithoutWaiting } from './write-without-waiting';

const LIB = join(__dirname, '..', '..');

describe('lines that nobody reads', () => {
  function reader(room: number) {
    const state = { room, text: '', gone: false };
    const write = writeWithoutWaiting({
      write(bytes) {
        if (state.gone) throw Object.assign(new Error('EPIPE'), { code: 'EPIPE' });
        const taken = Math.min(state.room, bytes.length);
        state.text += bytes.toString('utf8', 0, taken);
        state.room -= taken;
        return taken;
      },
      droppedLine: (dropped) => `${dropped} dropped\n`,
      maxHeldBytes: 20,
    });
    return { state, write };
  }

  it('are kept up to a bound, then dropped and counted, and come in their order', async () => {
    const { state, write } = reader(4);
    for (const line of ['one\n', 'two\n', 'three\n', 'four\n', 'five5\nsix\n', 'seven\n'])
      write(line);
    expect(state.text).toBe('one\n');
    state.room = Infinity;
    await waitFor(() => state.text.endsWith('dropped\n'));
    expect(state.text).toBe('one\ntwo\nthree\nfour\n3 dropped\n');
    write('eight\n');
    expect(state.text).toContain('dropped\neight\n');
  });

  it('end in the middle of nothing, however little is taken at once', async () => {
    const { state, write } = reader(0);
    write('Grüße\n');
    const dripping = setInterval(() => (state.room += 1), 5);
    await waitFor(() => state.text.length >= 6);
    clearInterval(dripping);
    expect(state.room).toBeGreaterThanOrEqual(0);
  });

  it('are forgotten when the reader is gone', () => {
    const { state, write } = reader(Infinity);
    state.gone = true;
    write('one\n');
    state.gone = false;
    write('two\n');
    expect(state.text).toBe('');
  });

  it('do not stop the process, which says how many there were, and its last words', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(LIB, 'test', 'unread-log.ts')], {
      cwd: LIB,
      env: {
        PATH: process.env['PATH'],
        TSX_TSCONFIG_PATH: join(LIB, '..', '..', 'tsconfig.base.json'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (data: Buffer) => (said += data.toString()));
    // Nobody reads: without its bound the process would wait for that in its first turn.
    await waitFor(() => said.includes('all said'));
    let out = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    await waitFor(() => out.includes('"dropped"'));
    child.kill('SIGTERM');
    await once(child, 'close');
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const dropped = lines.filter((line) => line['dropped'] !== undefined);
    expect(dropped).toHaveLength(1);
    expect(dropped[0]).toMatchObject({ level: 'warning', service: 'unread' });
    expect(
      lines.filter(({ msg }) => msg === 'a line').length + Number(dropped[0]?.['dropped']),
    ).toBe(20_000);
    expect(lines.at(-1)).toMatchObject({ msg: 'the last words' });
    expect(said).toBe('all said\n');
  });
});
