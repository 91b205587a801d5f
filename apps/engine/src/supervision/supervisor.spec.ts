import { PassThrough } from 'node:stream';
import { waitFor } from '@cds/testing';
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
