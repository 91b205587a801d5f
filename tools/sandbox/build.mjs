// Bundles the sandbox into dist/tools/sandbox, with the files of its page beside it, for `npm
// start` and for its image.
import { cpSync } from 'node:fs';
import { bundle } from '../build/bundle.mjs';

await bundle({ main: 'tools/sandbox/main.ts' }, 'dist/tools/sandbox');
cpSync('tools/sandbox/page/public', 'dist/tools/sandbox/page', { recursive: true });
