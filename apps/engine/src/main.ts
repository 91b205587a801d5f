#!/usr/bin/env node
import { runProgram } from './program';

// `engine config new | head` is no error.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

void runProgram(process.argv.slice(2), {
  env: process.env,
  out: (text) => process.stdout.write(text),
  say: (sentence) => process.stderr.write(`${sentence}\n`),
  home: __dirname,
  ownFiles: [__filename, process.argv[1] ?? __filename],
}).then((exitCode) => {
  process.exitCode = exitCode;
});
