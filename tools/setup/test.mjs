// `npm test [-- PROJECT…]`: everything that must hold before a change lands, on a machine that may
// have nothing but Node and npm. With names it runs the specs of these projects only.
import { rmSync } from 'node:fs';
import { countResults, countsLine, describeFailures, results } from './count-results.mjs';
import { ensureDependencies } from './ensure-dependencies.mjs';
import { ensureNode } from './ensure-node.mjs';
import { ensureRedis } from './ensure-redis.mjs';
import { root, startNx as nx } from './run.mjs';
import { say } from './say.mjs';

const projects = process.argv.slice(2);
const started = Date.now();

ensureNode();
ensureDependencies(root);
ensureRedis();

rmSync(results, { recursive: true, force: true });

/** Of Nx: these targets of all projects, unless the options name some. */
const run = (targets, ...options) => [
  'run-many',
  '-t',
  targets,
  '--output-style=stream',
  ...options,
];
const specsOf = (...names) => run('test', '--parallel=1', `--projects=${names.join(',')}`);

/**
 * What runs side by side, and what in turn. Specs wait most of the time, so the checks cost little
 * beside them. The longest begin at once; each of the three takes about as long as the others.
 */
const APPS = ['e2e', 'vcs', 'engine', 'sandbox'];
const EVERYTHING = [
  [specsOf('hooks')],
  [specsOf(...APPS)],
  [
    run('typecheck,lint,format', '--parallel=1'),
    run('test', '--parallel=1', `--exclude=hooks,${APPS.join(',')}`),
  ],
];

const failed = [];
async function inTurn(steps) {
  for (const args of steps) {
    if ((await nx(args)) !== 0) failed.push(`nx ${args.join(' ')}`);
  }
}

if (projects.length > 0) {
  await inTurn([run('test', '--parallel=2', `--projects=${projects.join(',')}`)]);
} else {
  say('Building the apps …');
  await inTurn([run('build')]);
  say('Checking types, rules, module boundaries and format beside the specs, unit to end to end …');
  await Promise.all(EVERYTHING.map(inTurn));
}

const counts = countResults();
say(`Done in ${Math.round((Date.now() - started) / 1000)} s.`);
for (const step of failed) say(`FAILED: ${step}`);
for (const line of describeFailures()) console.log(line);
console.log(countsLine(counts));
process.exit(failed.length || counts.passed === 0 ? 1 : 0);
