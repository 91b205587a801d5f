import { runProgram } from './program';

it('prints what others wrote without what a terminal acts on', async () => {
  const printed: string[] = [];
  const context = {
    env: {},
    out: (text: string) => printed.push(text),
    say: (text: string) => printed.push(text),
    home: __dirname,
    ownFiles: [],
  };
  await runProgram(['config', 'check', '/nowhere/\u001b[2J\u202e\u009b.toml'], context);
  await runProgram(['\u001b[2J\u202e'], context);
  expect(printed.length).toBeGreaterThanOrEqual(2);
  // oxlint-disable-next-line no-control-regex
  expect(printed.join('')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(printed.join('')).toContain('/nowhere/\\u001b[2J\\u202e\\u009b.toml');
});
