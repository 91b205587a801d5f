import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { bundleProgram } from '@cds/testing';

describe('what libraries print', () => {
  it('comes as log records, bounded in length, and nothing beside them', async () => {
    const child = spawn(process.execPath, [bundleProgram('libs/service/test/chatty.ts')], {
      env: {
        PATH: process.env['PATH'],
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => (printed[stream] += text));
    await once(child, 'close');

    expect(printed.stderr).toBe('');
    const records = printed.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(records).toMatchObject([
      { level: 'warning', line: 'IMPORTANT! Eviction policy is allkeys-lru.' },
      { level: 'warning', line: expect.stringMatching(/^Error: a library’s error\n/) },
      { level: 'info', line: expect.stringMatching(/^\{ of: 'an object' \} (word )+/) },
      { level: 'warning', name: 'DeprecationWarning', code: 'DEP0', line: 'old' },
    ]);
    expect(records.map(({ service }) => service)).toEqual(Array(4).fill('chatty'));
    expect(records[2]?.['line']).toHaveLength(2_000);
  });
});
