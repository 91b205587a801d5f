import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { bundleProgram, freePort, waitFor } from '@cds/testing';
import type { MonitoringStatus } from '@cds/wire';
import { writeWithoutWaiting } from './write-without-waiting';

const ENV = {
  PATH: process.env['PATH'],
};
/** Runs a command on a terminal. */
const SCRIPT = '/usr/bin/script';
const CTRL_S = '\u0013';
const CTRL_Q = '\u0011';

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
    const child = spawn(process.execPath, [bundleProgram('libs/service/test/unread-log.ts')], {
      env: ENV,
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

(existsSync(SCRIPT) ? describe : describe.skip)(
  'lines on a terminal (skipped without /usr/bin/script)',
  () => {
    const children: ChildProcess[] = [];
    afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

    /** A service on a terminal, once it has said more than its log holds, and nobody read it. */
    async function unread(how: 'stopped' | 'not read') {
      const port = await freePort();
      // Who does not answer within a minute waits for the terminal.
      const ask = (path: string) =>
        fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(60_000) });
      const command = `${process.execPath} ${bundleProgram('libs/service/test/unread-terminal.ts')}`;
      const child = spawn(SCRIPT, ['-qec', command, '/dev/null'], {
        env: { ...ENV, PORT: String(port), NO_COLOR: '1' },
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      children.push(child);
      const closed = once(child, 'close');
      let out = '';
      child.stdout.on('data', (data: Buffer) => (out += data.toString()));
      await waitFor(() => out.includes('ready'));
      if (how === 'stopped') child.stdin.write(CTRL_S);
      else child.stdout.pause();

      const pid = Number(await (await ask('/say')).text());
      for (let said: string | undefined; said !== '20000';) {
        const { lines } = (await (await ask('/mon/status')).json()) as MonitoringStatus;
        said = lines.find(({ component }) => component === 'Said')?.value;
      }
      expect(out).not.toContain('dropped');
      const readOn = () => {
        child.stdout.resume();
        child.stdin.write(CTRL_Q);
      };
      return { out: () => out, readOn, closed, end: () => process.kill(pid, 'SIGTERM') };
    }

    it.each(['stopped', 'not read'] as const)(
      'do not stop its service while it is %s, are dropped and counted',
      async (how) => {
        const { out, readOn, closed, end } = await unread(how);

        readOn();
        const dropped = await waitFor(() => /dropped: (\d+)\r\n/.exec(out())?.[1]);
        // Each has a second line, with its text.
        const kept = out().split(/: a line\r\n {4}text: /).length - 1;
        expect(kept + Number(dropped) / 2).toBe(20_000);
        end();
        await closed;
        expect(out()).toContain('the last words');
      },
    );

    it('do not keep a service from ending while it is stopped', async () => {
      const { out, closed, end } = await unread('stopped');
      end();
      await closed;
      expect(out()).not.toContain('the last words');
    });
  },
);
