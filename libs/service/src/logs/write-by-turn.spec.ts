import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { bundleProgram } from '@cds/testing';
import pino from 'pino';
import { writeByTurn } from './write-by-turn';

function capture() {
  const writes: string[][] = [];
  const logger = pino(
    { base: null, timestamp: false },
    writeByTurn((text) => {
      const lines = text.trimEnd().split('\n');
      writes.push(lines.map((line) => (JSON.parse(line) as { msg: string }).msg));
    }),
  );
  return { logger, writes };
}

describe('the lines of one turn', () => {
  it('are written together, those of the next one by themselves', async () => {
    const { logger, writes } = capture();
    logger.info('1');
    logger.info('2');
    expect(writes).toEqual([]);
    await turn();
    logger.info('3');
    await turn();
    expect(writes).toEqual([['1', '2'], ['3']]);
  });

  it('are written at once when something is wrong, in their order', async () => {
    const { logger, writes } = capture();
    logger.info('1');
    logger.warn('2');
    logger.info('3');
    logger.error('4');
    expect(writes).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
    await turn();
    expect(writes).toHaveLength(2);
  });

  it.each([
    ['ends by itself', '', 0],
    ['exits in the same turn', 'exit', 3],
    ['breaks off', 'throw', 1],
  ])('are not lost when the process %s', async (_how, mode, code) => {
    const child = spawn(process.execPath, [bundleProgram('libs/service/test/last-words.ts')], {
      env: {
        PATH: process.env['PATH'],
        MODE: mode,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const [exit] = (await once(child, 'close')) as [number];
    expect(out).toContain('the last words');
    expect(exit).toBe(code);
  });
});
