// As a command: installs Chromium for the browser test where it is missing and can be had, and says so where it cannot.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findCommand } from './ensure-redis.mjs';
import { say } from './say.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The full path of a Chromium, or undefined where PATH has none. */
export function findChromium(path = process.env.PATH) {
  return NAMES.map((name) => findCommand(name, path)).find(Boolean);
}

/** Never fails: without a browser one test is skipped. */
export function ensureChromium() {
  if (findChromium()) return;
  if (!findCommand('apt-get') || process.getuid?.() !== 0) {
    say(
      'There is no Chromium, and installing it needs apt-get and root: the browser test is skipped.',
    );
    return;
  }
  say('Chromium is missing: installing it (apt-get install -y --no-install-recommends chromium) …');
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']])
    spawnSync('apt-get', args, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  if (!findChromium()) say('Chromium could not be installed: the browser test is skipped.');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureChromium();
