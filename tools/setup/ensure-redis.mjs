import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { giveUp, say } from './say.mjs';

/** How each package manager installs a redis-server. RUNLEVEL=1 keeps Debian from starting the daemon. */
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

/** The full path of a command, or undefined where PATH does not have it. */
export function findCommand(name, path = process.env.PATH ?? '') {
  for (const folder of path.split(delimiter)) {
    if (!folder) continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

function isRoot() {
  return process.getuid?.() === 0;
}

function sudoWithoutPassword() {
  return findCommand('sudo') !== undefined && spawnSync('sudo', ['-n', 'true']).status === 0;
}

/** Sees to it that a `redis-server` is on PATH: from the system's packages where it is missing. */
export function ensureRedis() {
  if (findCommand('redis-server')) return;

  const installer = INSTALLERS.find(({ command }) => findCommand(command));
  if (!installer)
    giveUp(
      'redis-server is missing and no package manager that has it was found: please install Redis 6.2 or newer.',
    );

  const byHand = installer.steps.map((step) => step.join(' ')).join(' && ');
  const useSudo = installer.needsRoot && !isRoot();
  if (useSudo && !sudoWithoutPassword())
    giveUp(
      `redis-server is missing, and installing it needs root. Run this, then try again: sudo sh -c '${byHand}'`,
    );

  say(`redis-server is missing: installing it (${byHand}) …`);
  for (const step of installer.steps) {
    const [command, ...args] = useSudo ? ['sudo', '-n', 'env', ...environment(), ...step] : step;
    const { status } = spawnSync(command, args, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, ...Object.fromEntries(environment().map((pair) => pair.split('='))) },
    });
    if (status !== 0)
      giveUp(
        `Installing redis-server failed at \`${step.join(' ')}\`. Install it by hand, then try again.`,
      );
  }
  if (!findCommand('redis-server'))
    giveUp('redis-server was installed but is not on PATH: please add its folder to PATH.');
}

function environment() {
  return ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];
}
