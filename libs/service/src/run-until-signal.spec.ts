import {
  bundleProgram,
  startProcess,
  waitFor,
  type RunningProcess,
  takesTime,
  provesNothingHappensFor,
} from '@cds/testing';

async function start(env: Record<string, string> = {}): Promise<RunningProcess> {
  return startProcess({
    command: process.execPath,
    args: [bundleProgram('libs/service/test/stoppable.ts')],
    env: {
      PATH: process.env['PATH'],
      ...env,
    },
  });
}

async function portOf(child: RunningProcess): Promise<number> {
  const [line] = await child.waitForOutput(/\{.*"listening".*\}/);
  await child.waitForOutput('Ready for signals');
  return (JSON.parse(line) as { port: number }).port;
}

describe('runUntilSignal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'lets requests under way finish at %s, and ends with 0',
    async (signal) => {
      const child = await start();
      const port = await portOf(child);
      const answers = Array.from({ length: 20 }, () =>
        fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text()),
      );
      await waitFor(() => child.stdout().split('Taken').length > 20, { what: 'all requests' });
      child.kill(signal);
      await child.waitForOutput('stopping');
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
      expect(await Promise.all(answers)).toEqual(Array(20).fill('done'));
      expect(await child.exited).toEqual({ code: 0, signal: null });
      expect(child.stdout()).toContain('"stopped"');
    },
  );

  it('takes the same signal from two sides for one', async () => {
    const child = await start();
    const port = await portOf(child);
    const answer = fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
    await child.waitForOutput('Taken');
    child.kill('SIGINT');
    await child.waitForOutput('stopping');
    child.kill('SIGTERM');
    expect(await answer).toBe('done');
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it('ends at once at a second signal', async () => {
    const child = await start({ MODE: 'hang' });
    await portOf(child);
    child.kill('SIGTERM');
    await child.waitForOutput('stopping');
    await takesTime(1_100);
    child.kill('SIGTERM');
    expect(await child.exited).toEqual({ code: 1, signal: null });
    expect(child.stdout()).toContain('second signal');
  });

  it.each([
    ['1', { code: 0, signal: null }],
    ['', 'goes on'],
  ])('ends with its supervisor, if it has one: %j', async (supervised, ending) => {
    // The input of these processes is empty: it ends at once.
    const child = await start({ CDS_BITBUCKET_SUPERVISED: supervised });
    await portOf(child);
    const goesOn = () => provesNothingHappensFor(1_000).then(() => 'goes on');
    const ends = supervised ? child.exited : Promise.race([child.exited, goesOn()]);
    expect(await ends).toEqual(ending);
    child.kill('SIGKILL');
    await child.exited;
  });

  it('ends at the deadline', async () => {
    const child = await start({ MODE: 'hang', DEADLINE_MS: '500' });
    await portOf(child);
    child.kill('SIGTERM');
    expect(await child.exited).toEqual({ code: 1, signal: null });
    expect(child.stdout()).toContain('not stopped in time');
  });

  it.each([
    ['fail', 'cannot stop', true],
    ['throw', 'JSON', false],
    ['reject', 'nobody cares', false],
  ])('ends with 1 and the reason in the log: %s', async (mode, reason, withSignal) => {
    const child = await start({ MODE: mode });
    if (withSignal) {
      await portOf(child);
      child.kill('SIGTERM');
    }
    expect(await child.exited).toEqual({ code: 1, signal: null });
    const errors = child
      .stdout()
      .split('\n')
      .filter((line) => line.includes('"level":"error"'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(reason);
  });
});
