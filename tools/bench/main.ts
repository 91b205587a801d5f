// `npm run bench [name…]`: how near the services come to what the machine can do. See README.md.
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import type { Row } from './bench-case';
import { CASES } from './cases';
import { printTable } from './report/print-table';
import { makeBenchFolder } from './stage/bench-folder';

function pairsOf(text: string): number {
  if (!/^[1-9]\d?$/.test(text))
    throw new InvalidArgumentError('a whole number from 1 to 99 is expected');
  return Number(text);
}

async function main(): Promise<void> {
  const program = new Command('bench')
    .description('Measures the services, each beside its limit, in turn.')
    .argument('[names...]', 'only these cases; see --list')
    .option('--pairs <count>', 'rounds of each side', pairsOf, 5)
    .option('--json <file>', 'write the rows there, too')
    .option('--list', 'print the names of all cases')
    .parse();
  const options = program.opts<{ pairs: number; json?: string; list?: true }>();
  const names = program.args;
  if (options.list) {
    for (const { name, what } of CASES) console.log(`${name.padEnd(14)} ${what}`);
    return;
  }
  const unknown = names.filter((name) => !CASES.some((one) => one.name === name));
  if (unknown.length > 0) program.error(`no such case: ${unknown.join(', ')}; see --list`);
  // Each process of a case is killed with this one.
  process.setMaxListeners(100);
  const began = Date.now();
  const rows: Row[] = [];
  for (const one of CASES) {
    if (names.length > 0 ? !names.includes(one.name) : one.onlyWhenNamed) continue;
    const { folder, remove } = makeBenchFolder();
    try {
      const say = (sentence: string): boolean =>
        process.stderr.write(`[${one.name}] ${sentence}\n`);
      rows.push(...(await one.run({ folder, pairs: options.pairs, say })));
    } finally {
      remove();
    }
  }
  console.log(printTable(rows));
  if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
  process.stderr.write(`Done in ${Math.round((Date.now() - began) / 1000)} s.\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
