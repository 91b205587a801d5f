// `npm run test:faults`: makes everything go wrong that the promise names, and checks that it
// holds. See README.md.
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { FAULTS } from './faults';
import { countResults, describeResult, writeReports } from './matrix/report';
import { runMatrix } from './matrix/run-matrix';
import { keepBundles, root } from './stage/bundles';

interface Options {
  seed?: number;
  seeds: number;
  jobs: number;
  only?: string[];
  long?: true;
  keep?: true;
  list?: true;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is expected');
  return Number(text);
}

function names(text: string): string[] {
  const asked = text.split(',');
  const unknown = asked.filter((name) => !FAULTS.some((fault) => fault.name === name));
  if (unknown.length > 0)
    throw new InvalidArgumentError(`no such fault: ${unknown.join(', ')}; see --list`);
  return asked;
}

function readOptions(): Options {
  return new Command('faults')
    .description(
      'Makes real processes fail in every way, and checks that nothing accepted is lost.',
    )
    .option('--seed <number>', 'play with this seed', wholeNumber)
    .option('--seeds <count>', 'play each fault with so many seeds', wholeNumber, 1)
    .option('--jobs <count>', 'faults at a time', wholeNumber, 3)
    .option('--only <names>', 'only these faults, separated by commas', names)
    .option(
      '--long',
      'take the time that faults take in reality: an API that is away for ten minutes',
    )
    .option('--keep', 'keep the logs of faults that passed')
    .option('--list', 'print the names of all faults')
    .parse()
    .opts<Options>();
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.list) {
    for (const { name, what } of FAULTS) console.log(`${name.padEnd(36)} ${what}`);
    return 0;
  }
  const first = options.seed ?? Math.floor(Math.random() * 1_000_000);
  const seeds = Array.from({ length: Math.max(1, options.seeds) }, (_, index) => first + index);
  const faults = FAULTS.filter(({ name }) => options.only?.includes(name) ?? true);
  const folder = join(root, 'tmp', 'faults');
  keepBundles(folder);
  const began = Date.now();
  console.log(`▸ ${faults.length} faults, seeds from ${first}, ${options.jobs} at a time`);
  const results = await runMatrix(faults, {
    seeds,
    jobs: Math.max(1, options.jobs),
    long: options.long ?? false,
    keep: options.keep ?? false,
    folder,
    finished: (result) => console.log(describeResult(result)),
  });
  writeReports(root, folder, results);
  const { passed, failed, skipped } = countResults(results);
  console.log(
    `${passed} passed, ${failed} failed, ${skipped} skipped in ${Math.round((Date.now() - began) / 1_000)} s; page: tmp/faults/fault-matrix.md`,
  );
  return failed > 0 ? 1 : 0;
}

// At its exit it ends what it has started, which a signal alone does not reach.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(1));

void main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(`✖ ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  },
);
