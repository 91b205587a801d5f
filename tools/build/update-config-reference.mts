// Rewrites the configuration reference of the operator guide: npx tsx tools/build/update-config-reference.mts
import { readFileSync, writeFileSync } from 'node:fs';
import { configReference } from '@cds/config';

const GUIDE = new URL('../../docs/operator-guide.md', import.meta.url);
const START = '<!-- configuration:start -->';
const END = '<!-- configuration:end -->';

const guide = readFileSync(GUIDE, 'utf8');
const start = guide.indexOf(START);
const end = guide.indexOf(END);
if (start < 0 || end < start) {
  console.error(
    `docs/operator-guide.md has no block between ${START} and ${END}: add the two lines.`,
  );
  process.exit(1);
}
const block = `${START}\n\n${configReference()}\n${END}`;
const updated = guide.slice(0, start) + block + guide.slice(end + END.length);
writeFileSync(GUIDE, updated);
console.log(updated === guide ? 'Nothing to change.' : 'docs/operator-guide.md is up to date now.');
