#!/usr/bin/env node
import { createInterface } from 'node:readline';
import { allowSlowConnects } from '@cds/network';
import { EXIT_FAILED } from './command-error';
import { runProgram } from './program';

process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // `engine config new | head` is no error.
  if (code === 'EPIPE') return;
  process.stderr.write(`error: cannot write the output: ${message}\n`);
  process.exitCode = EXIT_FAILED;
});
process.stderr.on('error', () => undefined);

allowSlowConnects();
void runProgram(process.argv.slice(2), {
  env: process.env,
  out: (text) => process.stdout.write(text),
  say: (sentence) => process.stderr.write(`${sentence}\n`),
  ask: process.stdin.isTTY && process.stderr.isTTY ? askAtTerminal : undefined,
  home: __dirname,
  ownFiles: [__filename, process.argv[1] ?? __filename],
}).then((exitCode) => {
  process.exitCode ||= exitCode;
});

/** Asks on standard error. Empty when the terminal ends the input, or at Ctrl-C. */
async function askAtTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise((resolve) => {
      terminal.once('close', () => resolve(''));
      terminal.question(question, resolve);
    });
  } finally {
    terminal.close();
  }
}
