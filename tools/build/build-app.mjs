// Bundles an app into dist/apps/NAME: one main.js with every dependency inside, and a package.json
// that names none, so that the folder alone is what gets deployed.
import { build } from 'esbuild';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { revision } from './revision.mjs';

const app = process.argv[2];
if (!app) throw new Error('usage: node tools/build/build-app.mjs APP');

const { version, license } = JSON.parse(readFileSync('package.json', 'utf8'));
const outdir = `dist/apps/${app}`;

rmSync(outdir, { recursive: true, force: true });
mkdirSync(outdir, { recursive: true });

// A thread needs a program of its own beside the service's.
const threads =
  app === 'hooks'
    ? { 'heavy-work-thread': 'apps/hooks/src/modules/outgoing/worker-thread/heavy-work-thread.ts' }
    : {};

await build({
  entryPoints: { main: `apps/${app}/src/main.ts`, ...threads },
  outdir,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  // Node keeps the text of a program in memory as long as it runs, and takes twice as much for it when a single character
  // is not of Latin-1: without its comments it is ASCII, and half as long. Lines keep a length that a person can read.
  minifyWhitespace: true,
  lineLimit: 120,
  charset: 'ascii',
  legalComments: 'external',
  sourcemap: true,
  sourcesContent: false,
  tsconfig: 'tsconfig.base.json',
  define: {
    BUILD_VERSION: JSON.stringify(version),
    BUILD_COMMIT: JSON.stringify(revision()),
    // Images say when they were built, in a label; their bundles say the same.
    BUILD_TIME: JSON.stringify(process.env.BUILD_TIME || new Date().toISOString()),
  },
  logLevel: 'warning',
});

const isEngine = app === 'engine';
if (isEngine) {
  // The engine starts the services as child processes: it carries their bundles.
  for (const service of ['vcs', 'hooks'])
    cpSync(`dist/apps/${service}`, `${outdir}/services/${service}`, { recursive: true });
}

writeFileSync(
  `${outdir}/package.json`,
  `${JSON.stringify(
    {
      name: `cds-bitbucket-cloud-${app}`,
      version,
      license,
      type: 'commonjs',
      main: 'main.js',
      ...(isEngine ? { bin: { engine: 'main.js' } } : {}),
      engines: { node: '>=20.19' },
    },
    null,
    2,
  )}\n`,
);
