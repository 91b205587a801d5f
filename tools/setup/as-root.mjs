import { spawnSync } from 'node:child_process';
import { findCommand } from './find-command.mjs';
import { askOnTerminal } from './say.mjs';

/** RUNLEVEL=1 keeps Debian from starting the daemon of a package. */
const ENVIRONMENT = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };

function isRoot() {
  return process.getuid?.() === 0;
}

const sudoIsThere = () => findCommand('sudo') !== undefined;

/** Whether commands can be run as root unasked: by root, or in CI by sudo without a password. */
export function canBeRoot() {
  if (isRoot()) return true;
  return Boolean(process.env.CI) && sudoIsThere() && spawnSync('sudo', ['-n', 'true']).status === 0;
}

/** Whether a person at the terminal allows sudo. */
export function allowsSudo(question) {
  return sudoIsThere() && askOnTerminal(question);
}

/** Runs a step of an installation, its output on standard error. Returns its exit code. */
export function runStep(step, { asRoot }) {
  const sudo = ['sudo', 'env', ...Object.entries(ENVIRONMENT).map((pair) => pair.join('='))];
  const [command, ...args] = asRoot && !isRoot() ? [...sudo, ...step] : step;
  const { status } = spawnSync(command, args, {
    // Sudo reads a password from the terminal itself.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...ENVIRONMENT },
  });
  return status ?? 1;
}
