import { allowsSudo, canBeRoot, runStep } from './as-root.mjs';
import { findCommand } from './find-command.mjs';
import { giveUp, say } from './say.mjs';
import { useTestRedis } from './test-redis.cjs';

/** How each package manager installs a redis-server. */
const INSTALLERS = [
  {
    command: 'apt-get',
    needsRoot: true,
    steps: [
      ['apt-get', 'update'],
      ['apt-get', 'install', '-y', '--no-install-recommends', 'redis-server'],
    ],
  },
  { command: 'dnf', needsRoot: true, steps: [['dnf', 'install', '-y', 'redis']] },
  { command: 'apk', needsRoot: true, steps: [['apk', 'add', 'redis']] },
  { command: 'pacman', needsRoot: true, steps: [['pacman', '-S', '--noconfirm', 'redis']] },
  { command: 'brew', needsRoot: false, steps: [['brew', 'install', 'redis']] },
];

/**
 * Sees to it that a `redis-server` is on PATH: that of CDS_TEST_REDIS, or from the system's
 * packages where none is there. Installs it as root or in CI, and asks before it uses sudo
 * elsewhere.
 */
export function ensureRedis() {
  try {
    useTestRedis();
  } catch (error) {
    giveUp(error.message);
  }
  if (findCommand('redis-server')) return;

  const installer = INSTALLERS.find(({ command }) => findCommand(command));
  if (!installer)
    giveUp(
      'redis-server is missing and no package manager that has it was found: please install Redis 6.2 or newer, or name one in CDS_TEST_REDIS.',
    );

  const byHand = installer.steps.map((step) => step.join(' ')).join(' && ');
  const question = `redis-server is missing. Install it with sudo (${byHand})?`;
  if (installer.needsRoot && !canBeRoot() && !allowsSudo(question))
    giveUp(
      `redis-server is missing, and installing it needs root. Run this, then try again: sudo sh -c '${byHand}' – ` +
        'or name a redis-server in CDS_TEST_REDIS.',
    );

  say(`redis-server is missing: installing it (${byHand}) …`);
  for (const step of installer.steps)
    if (runStep(step, { asRoot: installer.needsRoot }) !== 0)
      giveUp(
        `Installing redis-server failed at \`${step.join(' ')}\`. Install it by hand, then try again.`,
      );
  if (!findCommand('redis-server'))
    giveUp('redis-server was installed but is not on PATH: please add its folder to PATH.');
}
