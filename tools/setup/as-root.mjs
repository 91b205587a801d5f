import { spawnSync } from 'node:child_process';
import { findCommand } from './find-command.mjs';

/** RUNLEVEL=1 keeps Debian from starting the daemon of a package. */
const ENVIRONMENT = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };

function isRoot() {
  return process.getuid?.() === 0;
}

/** Whether commands can be run as root: by root, or by sudo without a password. */
export function canBeRoot() {
  return (
    isRoot() ||
    (findCommand('sudo') !== undefined && spawnSync('sudo', ['-n', 'true']).status === 0)
  );
}

/** Runs a step of an installation, its output on standard error. Returns its exit code. */
export function runStep(step, { asRoot }) {
  const sudo = ['sudo', '-n', 'env', ...Object.entries(ENVIRONMENT).map((pair) => pair.join('='))];
  const [command, ...args] = asRoot && !isRoot() ? [...sudo, ...step] : step;
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...ENVIRONMENT },
  });
  return status ?? 1;
}
