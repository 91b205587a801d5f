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

const failed = [];
async function run(targets, ...options) {
  const args = ['run-many', '-t', targets, '--output-style=stream', ...options];
  if ((await nx(args)) !== 0) failed.push(`nx ${args.join(' ')}`);
}

if (projects.length > 0) {
  await run('test', '--parallel=1', `--projects=${projects.join(',')}`);
} else {
  say('Building the apps …');
  await run('build');
  say('Checking types, rules, module boundaries and format beside the specs, unit to end to end …');
  await run('specs,lint,format', '--projects=workspace', '--parallel=4');
}

const counts = countResults();
say(`Done in ${Math.round((Date.now() - started) / 1000)} s.`);
for (const step of failed) say(`FAILED: ${step}`);
for (const line of describeFailures()) console.log(line);
console.log(countsLine(counts));
process.exit(failed.length || counts.passed === 0 ? 1 : 0);
