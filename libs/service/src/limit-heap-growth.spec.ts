import { execFileSync } from 'node:child_process';
import { bundleProgram } from '@cds/testing';

it('keeps the heap of a program smaller that makes many long strings', () => {
  const program = bundleProgram('libs/service/test/many-long-strings.ts');
  const peak = (how: string) =>
    parseInt(execFileSync(process.execPath, [program, how], { encoding: 'utf8' }), 10);
  expect(peak('limited')).toBeLessThan(0.8 * peak('unlimited'));
});
