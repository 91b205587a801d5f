import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { waitFor } from '@cds/testing';
import { prefixLines } from './prefix-lines';
import { createPauses } from './restart-pauses';
import { sentenceOf } from './supervision-event';
import { createSupervisor } from './supervisor';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('createSupervisor', () => {
  const outputs = {
    stdout: { stream: new PassThrough(), isTerminal: false },
    stderr: { stream: new PassThrough(), isTerminal: false },
  };

  it('kills what does not end in time, with all that it started', async () => {
    const said: string[] = [];
    const supervisor = createSupervisor({
      report: (event) => said.push(sentenceOf(event)),
      outputs,
      nameWidth: 5,
      stopDeadlineMs: 300,
    });
    const printed: string[] = [];
    outputs.stdout.stream.on('data', (chunk) => printed.push(String(chunk)));
    const script = `trap '' TERM; sleep 60 & echo pid $!; while :; do sleep 0.05; done`;
    supervisor.start({
      name: 'deaf',
      command: '/bin/sh',
      args: ['-c', script],
      env: process.env,
      endsGroup: () => true,
    });
    const [, pid] = await waitFor(() => /^pid (\d+)$/m.exec(printed.join('')));

    supervisor.stop('SIGTERM');
    const exitCode = await supervisor.finished;

    expect(exitCode).toBe(1);
    expect(said).toEqual(['Killing what did not end in time: deaf.']);
    await waitFor(() => !isAlive(Number(pid)), { what: 'the process behind the child to be gone' });
  });

  it('says which command cannot be started', async () => {
    const said: string[] = [];
    const supervisor = createSupervisor({
      report: (event) => said.push(sentenceOf(event)),
      outputs,
      nameWidth: 5,
    });

    supervisor.start({
      name: 'api',
      command: '/no/such/binary',
      args: [],
      env: {},
      endsGroup: () => false,
    });

    expect(await supervisor.finished).toBe(1);
    expect(said).toEqual([expect.stringMatching(/^api could not be started \(.*ENOENT.*\)\.$/)]);
  });
});

describe('createPauses', () => {
  it('doubles them up to the longest, and begins anew after a healthy while', () => {
    const pauses = createPauses({ first: 1_000, longest: 5_000, healthyAfter: 60_000 });

    expect([0, 10, 59_999, 0, 0].map((ran) => pauses.next(ran))).toEqual([
      1_000, 2_000, 4_000, 5_000, 5_000,
    ]);
    expect([60_000, 1, 90_000].map((ran) => pauses.next(ran))).toEqual([1_000, 2_000, 1_000]);
  });
});

describe('prefixLines', () => {
  it('keeps lines whole, whatever the pieces, and ends the last one', async () => {
    const input = new PassThrough({ encoding: 'utf8' });
    const output = text(input.pipe(prefixLines('a | ')));
    for (const piece of ['one\ntw', 'o\n\nthr', 'ee'])
      if (!input.write(piece)) await once(input, 'drain');
    input.end();

    expect(await output).toBe('a | one\na | two\na | \na | three\n');
  });

  it('does not keep a line without end', async () => {
    const input = new PassThrough({ encoding: 'utf8' });
    const output = text(input.pipe(prefixLines('> ')));
    input.end('x'.repeat(3_000_000));

    expect((await output).replaceAll(/> |\n/g, '')).toHaveLength(3_000_000);
  });
});
