// Bundles programs with esbuild, and puts beside them what a bundle owes: our licence, those of the
// packages in it, and its SBOM.
import { cyclonedxEsbuildPlugin } from '@cyclonedx/cyclonedx-esbuild';
import { build } from 'esbuild';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { revision } from './revision.mjs';
import { packageFolders, thirdPartyLicenses } from './third-party-licenses.mjs';

/** The package.json of the workspace. */
export const workspace = JSON.parse(readFileSync('package.json', 'utf8'));

const [oldestMajor, oldestMinor] = workspace.engines.node.match(/\d+/g);

// Debian 12 has Node.js 18, under which a program would fail somewhere with an error of the
// language.
const REFUSE_OLD_NODE = `"use strict";{const[a,b]=process.versions.node.split('.').map(Number);if(a<${oldestMajor}||a===${oldestMajor}&&b<${oldestMinor}){console.error('error: Node.js ${oldestMajor}.${oldestMinor} or newer is needed, this is '+process.versions.node+'.');process.exit(1)}}`;

/** OpenTelemetry's ES modules: of these esbuild leaves out what is not used, three quarters. */
const openTelemetry = Object.fromEntries(
  readdirSync('node_modules/@opentelemetry').flatMap((folder) => {
    const path = join('node_modules/@opentelemetry', folder);
    const { name, module, exports } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    return module && !exports ? [[name, resolve(path, module)]] : [];
  }),
);

/**
 * Writes the programs into `outdir`, from which everything else is removed.
 *
 * @param {Record<string, string>} entryPoints the sources, by the paths of the bundles
 * @param {string} outdir
 * @throws Error where a licence does not allow it, or a package has none
 */
export async function bundle(entryPoints, outdir) {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const { metafile } = await build({
    entryPoints,
    outdir,
    bundle: true,
    platform: 'node',
    alias: openTelemetry,
    target: `node${oldestMajor}.${oldestMinor}`,
    format: 'cjs',
    banner: { js: REFUSE_OLD_NODE },
    // Node keeps the text of a program in memory as long as it runs, and takes twice as much for it
    // when a single character is not of Latin-1 (checked below): without its comments it is, and
    // half as long. Lines keep a length that a person can read.
    minifyWhitespace: true,
    lineLimit: 120,
    charset: 'ascii',
    legalComments: 'external',
    metafile: true,
    tsconfig: 'tsconfig.base.json',
    define: {
      BUILD_VERSION: JSON.stringify(workspace.version),
      BUILD_COMMIT: JSON.stringify(revision()),
      // Images say when they were built, in a label; their bundles say the same.
      BUILD_TIME: JSON.stringify(process.env.BUILD_TIME || new Date().toISOString()),
    },
    logLevel: 'warning',
    plugins: [
      cyclonedxEsbuildPlugin({
        outputFile: 'sbom.cdx.json',
        outputReproducible: true,
        validate: true,
        logLevel: 'silent',
      }),
    ],
  });
  for (const file of Object.keys(metafile.outputs).filter((path) => path.endsWith('.js')))
    checkIsLatin1(file);
  const notices = Object.keys(metafile.outputs).filter((file) => file.endsWith('.LEGAL.txt'));
  writeFileSync(
    join(outdir, 'THIRD-PARTY-LICENSES'),
    thirdPartyLicenses(
      packageFolders(metafile),
      notices.map((file) => readFileSync(file, 'utf8')),
    ),
  );
  notices.forEach((file) => rmSync(file));
  cpSync('LICENSE', join(outdir, 'LICENSE'));
}

/** esbuild escapes no character of a tagged template or of a regular expression. */
function checkIsLatin1(file) {
  // oxlint-disable-next-line no-control-regex -- the range begins with the first character
  const [line] = /^.*[^\x00-\xff].*$/m.exec(readFileSync(file, 'utf8')) ?? [];
  if (line !== undefined)
    throw new Error(
      `${file} is not of Latin-1, so it takes twice the memory: escape it in ${line}`,
    );
}
