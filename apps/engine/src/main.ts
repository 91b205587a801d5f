#!/usr/bin/env node
import { allowSlowConnects } from '@cds/network';
import { askAtTerminal } from './ask-at-terminal';
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
