// How the set-up scripts talk: one line for each thing they do, a sentence and exit 1 where they
// cannot.
import { closeSync, openSync, readSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Prints what is being done. */
export function say(sentence) {
  console.error(`▸ ${sentence}`);
}

/** Asks at the terminal. Returns whether the answer is yes; false without a terminal. */
export function askOnTerminal(question) {
  if (!isatty(0) || !isatty(2)) return false;
  process.stderr.write(`▸ ${question} [y/N] `);
  const terminal = openSync('/dev/tty', 'r');
  const answer = Buffer.alloc(64);
  const length = readSync(terminal, answer);
  closeSync(terminal);
  return /^y(es)?$/i.test(answer.toString('utf8', 0, length).trim());
}

/** Prints why it cannot go on and what to do, then ends with exit code 1. */
export function giveUp(sentence) {
  console.error(`✖ ${sentence}`);
  process.exit(1);
}
