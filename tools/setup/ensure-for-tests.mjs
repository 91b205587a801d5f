// As a command: installs what single tests need and is not needed otherwise, where it is missing
// and can be had: Chromium for the page of the sandbox, RabbitMQ for the hooks of that name. Never
// fails: without them these tests are skipped.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { canBeRoot, runStep } from './as-root.mjs';
import { findChromium } from './find-chromium.mjs';
import { findCommand } from './find-command.mjs';
import { say } from './say.mjs';

const PACKAGES = [
  { name: 'chromium', isThere: () => findChromium() !== undefined, tests: 'the browser test' },
  {
    name: 'rabbitmq-server',
    // Where Debian's package has it; its command in /usr/sbin changes the user.
    isThere: () => existsSync('/usr/lib/rabbitmq/lib'),
    tests: 'the tests of RabbitMQ hooks',
  },
];

/**
 * Installs what is missing of Debian's packages, and says what is skipped where that is not
 * possible.
 */
export function ensureForTests() {
  const missing = PACKAGES.filter(({ isThere }) => !isThere());
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  if (findCommand('apt-get') && canBeRoot()) {
    say(`Installing what single tests need (apt-get install ${names.join(' ')}) …`);
    runStep(['apt-get', 'update'], { asRoot: true });
    runStep(['apt-get', 'install', '-y', '--no-install-recommends', ...names], { asRoot: true });
  }
  for (const { name, isThere, tests } of missing)
    if (!isThere())
      say(`There is no ${name} (apt-get and root would bring it): ${tests} will be skipped.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureForTests();
