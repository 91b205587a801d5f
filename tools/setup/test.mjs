// `npm test [-- PROJECT…]`: everything that must hold before a change lands, on a machine that may have
// nothing but Node and npm. With names it runs the specs of these projects only.
import { rmSync } from 'node:fs';
import { countResults, countsLine, describeFailures, results } from './count-results.mjs';
import { ensureDependencies } from './ensure-dependencies.mjs';
import { ensureNode } from './ensure-node.mjs';
import { ensureRedis } from './ensure-redis.mjs';
import { nx, root } from './run.mjs';
import { say } from './say.mjs';

const projects = process.argv.slice(2);
const started = Date.now();

ensureNode();
ensureDependencies(root);
ensureRedis();

rmSync(results, { recursive: true, force: true });

const only = projects.length ? ['--projects', projects.join(',')] : [];
const steps = [
  ...(projects.length
    ? []
    : [
        [
          'Checking types, rules, module boundaries and format, and building the apps …',
          ['run-many', '-t', 'typecheck', 'lint', 'format', 'build', '--parallel=2'],
        ],
      ]),
  // Most of a spec is waiting: two projects at a time, the libs first, and the apps beside all that tests them.
  ['Running the specs, unit to end to end …', ['run-many', '-t', 'test', '--parallel=2', ...only]],
];

const failed = [];
for (const [sentence, args] of steps) {
  say(sentence);
  if (nx([...args, '--output-style=stream']) !== 0) failed.push(sentence.replace(' …', ''));
}

const counts = countResults();
say(`Done in ${Math.round((Date.now() - started) / 1000)} s.`);
for (const step of failed) say(`FAILED: ${step}`);
for (const line of describeFailures()) console.log(line);
console.log(countsLine(counts));
process.exit(failed.length || counts.passed === 0 ? 1 : 0);
