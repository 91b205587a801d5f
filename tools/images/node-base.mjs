import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../setup/say.mjs';

/** What the official image of Node.js brings, and ours must not have. */
const PACKAGE_MANAGERS = ['npm@11', 'corepack@0'];
const YARN = '1.22.22';

/**
 * What the official image says of itself, and the certificate authority that this machine's npm
 * needs.
 */
const { NODE_EXTRA_CA_CERTS } = process.env;
const CONFIG = [
  'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'CMD ["node"]',
  ...(NODE_EXTRA_CA_CERTS ? [`ENV NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS}`] : []),
];

/**
 * Makes an image that stands in for the official one of Node.js, from the packages of Debian and of
 * npm: for a machine that reaches no registry of images. Takes a minute or more, once.
 *
 * @param {object} options
 * @param {string} options.image its name
 * @param {string} options.version of Node.js
 * @param {string} options.suite of Debian
 * @param {string} options.folder to work in
 * @param {(command: string, args: string[], options?: object) => void} options.run ends the process
 *   where the command fails
 */
export function makeNodeBase({ image, version, suite, folder, run }) {
  const exists = spawnSync('podman', ['image', 'exists', image]);
  if (exists.status === 0) return;
  say(`Making ${image} by debootstrap; once …`);
  const system = join(folder, 'system');
  rmSync(system, { recursive: true, force: true });
  mkdirSync(system, { recursive: true });
  // In a namespace of its own, so that what it mounts goes with it, however it ends.
  run('unshare', ['--mount', 'debootstrap', '--variant=minbase', suite, system]);

  const local = join(system, 'usr', 'local');
  unpack(`node-linux-${process.arch}@${version}`, local);
  const prefix = ['--prefix', local, '--no-audit', '--no-fund'];
  run('npm', ['install', '--global', ...prefix, ...PACKAGE_MANAGERS]);
  const yarn = `opt/yarn-v${YARN}`;
  unpack(`yarn@${YARN}`, join(system, yarn));
  for (const name of ['yarn', 'yarnpkg']) {
    rmSync(join(local, 'bin', name), { force: true });
    symlinkSync(`/${yarn}/bin/${name}`, join(local, 'bin', name));
  }

  const user = 'useradd --uid 1000 --user-group --shell /bin/bash --create-home node';
  run('chroot', [system, 'sh', '-c', user]);
  // As Debian's slim image has it.
  for (const leftover of ['usr/share/doc', 'usr/share/man', 'usr/share/locale'])
    rmSync(join(system, leftover), { recursive: true, force: true });
  for (const cache of ['var/lib/apt/lists', 'var/cache/apt/archives', 'var/log'])
    for (const name of readdirSync(join(system, cache)))
      rmSync(join(system, cache, name), { recursive: true, force: true });

  const archive = join(folder, 'system.tar');
  run('tar', ['--create', '--file', archive, '--directory', system, '.']);
  run('podman', ['import', ...CONFIG.flatMap((line) => ['--change', line]), archive, image]);
  rmSync(archive);
  rmSync(system, { recursive: true });

  /** The files of a package of npm. */
  function unpack(name, into) {
    const packages = join(folder, 'packages');
    rmSync(packages, { recursive: true, force: true });
    mkdirSync(packages);
    run('npm', ['pack', '--silent', '--pack-destination', packages, name]);
    const [file = ''] = readdirSync(packages);
    mkdirSync(into, { recursive: true });
    run('tar', [
      ...['--extract', '--gzip', '--no-same-owner', '--strip-components', '1'],
      ...['--file', join(packages, file), '--directory', into],
    ]);
    rmSync(packages, { recursive: true });
  }
}
