// Bundles the sandbox into dist/tools/sandbox/main.js, with the files of its page beside it, for `npm start` and for its image.
import { build } from 'esbuild';
import { cpSync, rmSync } from 'node:fs';

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

rmSync('dist/tools/sandbox/page', { recursive: true, force: true });
cpSync('tools/sandbox/page/public', 'dist/tools/sandbox/page', { recursive: true });
