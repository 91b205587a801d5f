// Bundles an app into dist/apps/NAME: one main.js with every dependency inside, and a package.json
// that names none, so that the folder alone is what gets deployed.
import { writeFileSync } from 'node:fs';
import { bundle, workspace } from './bundle.mjs';

const services = {
  vcs: { main: 'apps/vcs/src/main.ts' },
  hooks: {
    main: 'apps/hooks/src/main.ts',
    // A thread needs a program of its own beside the service's.
    'heavy-work-thread': 'apps/hooks/src/modules/outgoing/worker-thread/heavy-work-thread.ts',
  },
};
const programs = {
  ...services,
  // The engine starts the services as child processes: it carries their bundles.
  engine: {
    main: 'apps/engine/src/main.ts',
    ...Object.fromEntries(
      Object.entries(services).flatMap(([service, entries]) =>
        Object.entries(entries).map(([name, file]) => [`services/${service}/${name}`, file]),
      ),
    ),
  },
};

const app = process.argv[2];
if (!(app in programs)) throw new Error('usage: node tools/build/build-app.mjs vcs|hooks|engine');

const outdir = `dist/apps/${app}`;
await bundle(programs[app], outdir);

const { version, license, engines } = workspace;
writeFileSync(
  `${outdir}/package.json`,
  `${JSON.stringify(
    {
      name: `cds-bitbucket-cloud-${app}`,
      version,
      license,
      type: 'commonjs',
      main: 'main.js',
      ...(app === 'engine' ? { bin: { engine: 'main.js' } } : {}),
      engines,
    },
    null,
    2,
  )}\n`,
);
