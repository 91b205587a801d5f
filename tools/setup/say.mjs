// How the set-up scripts talk: one line for each thing they do, a sentence and exit 1 where they cannot.

/** Prints what is being done. */
export function say(sentence) {
  console.error(`▸ ${sentence}`);
}

/** Prints why it cannot go on and what to do, then ends with exit code 1. */
export function giveUp(sentence) {
  console.error(`✖ ${sentence}`);
  process.exit(1);
}
