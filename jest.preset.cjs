// One preset for every project: SWC to CommonJS, the aliases of tsconfig.base.json, workers for
// specs that wait.
const { availableParallelism } = require('node:os');
const path = require('node:path');
const { useTestRedis } = require('./tools/setup/test-redis.cjs');
const { compilerOptions } = require('./tsconfig.base.json');

useTestRedis();

const aliases = Object.fromEntries(
  Object.entries(compilerOptions.paths).map(([alias, [file]]) => [
    `^${alias}$`,
    path.join(__dirname, file),
  ]),
);

const toCommonJs = [
  require.resolve('@swc/jest'),
  {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  },
];

module.exports = {
  testEnvironment: path.join(__dirname, 'tools/build/spec-environment.cjs'),
  testMatch: ['<rootDir>/**/*.spec.ts'],
  transform: {
    '^.+\\.(t|mj)s$': toCommonJs,
    // Packages without CommonJS.
    'node_modules/modern-tar/.+\\.js$': toCommonJs,
  },
  transformIgnorePatterns: ['/node_modules/(?!modern-tar/)'],
  moduleNameMapper: aliases,
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  // Specs wait for processes and Redis most of the time: one more than the cores, two at least.
  maxWorkers: Math.max(2, Math.min(4, availableParallelism() + 1)),
  // A worker holds the modules of every spec file that it ran. Gigabytes take longer to free than
  // the half second that Jest gives a worker for its end.
  workerIdleMemoryLimit: '700MB',
  // Far above the minute that `waitFor` waits: it names what did not come, this limit only ends
  // what hangs.
  testTimeout: 5 * 60_000 * Math.max(1, Number(process.env.FUZZ_RUNS ?? 1)),
};
