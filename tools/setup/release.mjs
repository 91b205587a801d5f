// For .github/workflows/release.yml. Each ends with a sentence and exit code 1 where VERSION cannot
// be released:
//   node tools/setup/release.mjs check VERSION   that it can be
//   node tools/setup/release.mjs notes VERSION   its section of CHANGELOG.md
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './run.mjs';
import { giveUp, say } from './say.mjs';

/** Of https://semver.org/, without build metadata: tags of images cannot hold a `+`. */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*)?$/;

/**
 * What is said about a release: its section of the changelog.
 *
 * @param {{ version: string, packageVersion: string, lockVersion: string, changelog: string }}
 *   release
 * @throws Error with a sentence that says what to do, where this version cannot be released
 */
export function releaseNotes({ version, packageVersion, lockVersion, changelog }) {
  if (!SEMVER.test(version))
    throw new Error(`${JSON.stringify(version)} is no version: write it like 1.2.3 or 1.2.3-rc.1`);
  if (packageVersion !== version || lockVersion !== version)
    throw new Error(
      `package.json has version ${packageVersion} and package-lock.json ${lockVersion}: bring ${version} to main with \`npm version --no-git-tag-version ${version}\` first`,
    );
  return sectionOf(changelog, version);
}

function sectionOf(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((each) => each.startsWith(`[${version}] - `));
  if (!section || !/^\[[^\]]+\] - \d{4}-\d{2}-\d{2}$/m.test(section.split('\n', 1)[0]))
    throw new Error(
      `CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD": give what is under Unreleased that heading`,
    );
  const notes = section.slice(section.indexOf('\n')).trim();
  if (notes === '') throw new Error(`CHANGELOG.md says nothing about ${version}`);
  return notes;
}

function isTagged(version) {
  const tag = execFileSync('git', ['tag', '--list', `v${version}`], {
    cwd: root,
    encoding: 'utf8',
  });
  return tag.trim() !== '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [verb, version = ''] = process.argv.slice(2);
  const json = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));
  try {
    const notes = releaseNotes({
      version,
      packageVersion: json('package.json').version,
      lockVersion: json('package-lock.json').version,
      changelog: readFileSync(join(root, 'CHANGELOG.md'), 'utf8'),
    });
    if (verb === 'notes') console.log(notes);
    else if (verb !== 'check') giveUp('usage: node tools/setup/release.mjs check|notes VERSION');
    else if (isTagged(version)) giveUp(`v${version} is released: choose the next version`);
    else say(`${version} can be released.`);
  } catch (error) {
    giveUp(error.message);
  }
}
