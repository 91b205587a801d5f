// Of the specs of all projects: SWC to CommonJS, the aliases of tsconfig.base.json, workers for
// specs that wait. A folder or a part of a name chooses some: `npx jest apps/hooks`.
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

/** Packages without CommonJS, and one that imports dynamically what Node.js has. */
const asCommonJs = 'modern-tar/|@opentelemetry/otlp-exporter-base/';

module.exports = {
  roots: ['apps', 'libs', 'tools'].map((folder) => path.join(__dirname, folder)),
  globalSetup: path.join(__dirname, 'tools/setup/build-bundles.cjs'),
  testEnvironment: path.join(__dirname, 'tools/build/spec-environment.cjs'),
  testMatch: ['**/*.spec.ts'],
  // `npm run test:images` alone has the images.
  testPathIgnorePatterns: ['/node_modules/', ...(process.env.NODE_IMAGE ? [] : ['/tools/images/'])],
  transform: {
    '^.+\\.(t|mj)s$': toCommonJs,
    [`node_modules/(${asCommonJs}).+\\.js$`]: toCommonJs,
  },
  transformIgnorePatterns: [`/node_modules/(?!${asCommonJs})`],
  moduleNameMapper: aliases,
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  // Specs wait for processes and Redis most of the time: four for each core.
  maxWorkers: Math.min(8, 4 * availableParallelism()),
  // Gigabytes take longer to free than the half second that Jest gives a worker for its end.
  workerIdleMemoryLimit: '900MB',
  // Far above the minute that `waitFor` waits: it names what did not come, this limit only ends
  // what hangs.
  testTimeout: 5 * 60_000 * Math.max(1, Number(process.env.FUZZ_RUNS ?? 1)),
};
