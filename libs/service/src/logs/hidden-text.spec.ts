import { spawnSync } from 'node:child_process';
import { bundleProgram } from '@cds/testing';

/** What a process with texts of strangers in its log prints. */
function printed(env: NodeJS.ProcessEnv): string {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [bundleProgram('libs/service/test/odd-texts.ts')],
    {
      env: {
        PATH: process.env['PATH'],
        NO_COLOR: '1',
        ...env,
      },
      encoding: 'utf8',
    },
  );
  expect(stderr).toBe('');
  return stdout;
}

// oxlint-disable-next-line no-control-regex
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/;

describe('texts of strangers in the log', () => {
  it('are escaped in lines of JSON, and the same values still', () => {
    const out = printed({});
    expect(out).not.toMatch(HARMFUL);
    const line = JSON.parse(out) as { branch: string; err: { message: string } };
    expect(line.branch).toBe('ma\u001b[2Jin\u009b2J\u202egpj\u2028\u200b\r');
    expect(line.err.message).toContain(line.branch);
  });

  it('are shown in text for a terminal', () => {
    const out = printed({ CDS_BITBUCKET_TERMINAL: '1' });
    expect(out).not.toMatch(HARMFUL);
    expect(out).toContain('odd texts');
    expect(out).toContain('ma\\u001b[2Jin\\u009b2J\\u202egpj\\u2028\\u200b');
  });
});
