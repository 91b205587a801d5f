// The licences of the packages in a bundle. Each is read before it is on the list below: they let
// us ship a package inside our programs when its text and its copyright notices are shipped, too.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ALLOWED_LICENSES = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
];

const LICENSE_FILE = /^(licen[cs]e|copying|copyright|notice)/i;
/** A section of a README, with the text that some packages have nowhere else. */
const LICENSE_SECTION = /^(?:#+ *)?licen[cs]e *\n(?:[-=]+\n)?([^]+)/im;
/** In characters; a name or a link is no licence. */
const SHORTEST_LICENSE = 400;
const RULE = '='.repeat(80);

/** The folders of the packages of which anything is in the bundles. */
export function packageFolders(metafile) {
  const files = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  return [
    ...new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? [])),
  ];
}

/**
 * The text of THIRD-PARTY-LICENSES.
 *
 * @param {string[]} folders of the packages
 * @param {string[]} notices what esbuild wrote of the copyright notices inside their files
 * @throws Error naming every package that must not be shipped so
 */
export function thirdPartyLicenses(folders, notices) {
  const packages = folders.map(readPackage).sort((a, b) => (a.name < b.name ? -1 : 1));
  const problems = packages.flatMap(problemOf);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  // One version may be installed in several places.
  const distinct = packages.filter(({ name }, i) => name !== packages[i - 1]?.name);
  const blocks = new Set(
    notices.flatMap((each) =>
      each
        .trim()
        .split(/\n\n(?=\S)/)
        .slice(1),
    ),
  );
  return [
    'The programs in this folder contain the packages below, each under its own licence.\n',
    ...distinct.map(({ name, license, text }) => `${RULE}\n${name} (${license})\n\n${text}\n`),
    `${RULE}\nNotices in their files\n`,
    ...[...blocks].sort().map((block) => `${block}\n`),
  ].join('\n');
}

function readPackage(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).sort();
  const textOf = (file) => readFileSync(join(folder, file), 'utf8').trim();
  const texts = files.filter((file) => LICENSE_FILE.test(file)).map(textOf);
  const readme = files.find((file) => /^readme/i.test(file));
  const section = texts.length === 0 && readme && LICENSE_SECTION.exec(textOf(readme))?.[1].trim();
  return { name: `${name} ${version}`, license, text: section || texts.join('\n\n') };
}

function problemOf({ name, license, text }) {
  return [
    ...(ALLOWED_LICENSES.includes(license)
      ? []
      : [
          `${name}: its licence ${JSON.stringify(license)} is not on the list of those allowed (tools/build/third-party-licenses.mjs)`,
        ]),
    ...(text.length < SHORTEST_LICENSE
      ? [`${name}: there is no text of its licence, neither in a file nor in its README`]
      : []),
  ];
}
