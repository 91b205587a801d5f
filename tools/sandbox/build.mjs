// Bundles the sandbox into dist/tools/sandbox/main.js, for `npm start` and for its image.
import { build } from 'esbuild';

await build({
  entryPoints: ['tools/sandbox/main.ts'],
  outfile: 'dist/tools/sandbox/main.js',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  sourcemap: true,
  sourcesContent: false,
  tsconfig: 'tsconfig.base.json',
  logLevel: 'warning',
});
