import { execFileSync } from 'node:child_process';
import { bundleProgram } from '@cds/testing';

it('keeps a heap smaller than V8 would, which makes long strings all the time', () => {
  const program = bundleProgram('libs/service/test/long-headers.ts');
  const peak = (how: string) =>
    parseInt(execFileSync(process.execPath, [program, how], { encoding: 'utf8' }), 10);
  expect(peak('limited')).toBeLessThan(0.8 * peak('unlimited'));
});
