// `npm run test:images`: builds the images with podman, which needs no Docker engine, and runs
// their specs. The base is NODE_IMAGE, else one that it makes itself. All that it writes is in
// tmp/images.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeNodeBase } from '../images/node-base.mjs';
import { ensureDependencies } from './ensure-dependencies.mjs';
import { ensureNode } from './ensure-node.mjs';
import { ensureRedis } from './ensure-redis.mjs';
import { findCommand } from './find-command.mjs';
import { root } from './run.mjs';
import { giveUp, say } from './say.mjs';

const APPS = ['vcs', 'hooks', 'engine', 'sandbox'];
const FOLDER = join(root, 'tmp', 'images');

const ofSystem = `${process.env.PATH}:/usr/sbin:/sbin`;
const wanted = ['podman', ...(process.env.NODE_IMAGE ? [] : ['debootstrap'])];
const missing = wanted.filter((command) => !findCommand(command, ofSystem));
const runtime = ['runc', 'crun'].find((command) => findCommand(command, ofSystem));
if (!runtime) missing.push('runc');
if (missing.length > 0)
  skip(`${missing.join(', ')} not found (Debian: apt-get install ${missing.join(' ')})`);
if (process.getuid?.() !== 0) skip('it takes root to build and to start them');

ensureNode();
ensureDependencies(root);
ensureRedis();

mkdirSync(FOLDER, { recursive: true });
Object.assign(process.env, {
  PATH: ofSystem,
  CONTAINERS_STORAGE_CONF: join(FOLDER, 'storage.conf'),
  CONTAINERS_CONF: join(FOLDER, 'containers.conf'),
  // Health checks are asked by the specs, and not by timers of systemd.
  DISABLE_HC_SYSTEMD: 'true',
});
writeFileSync(
  process.env.CONTAINERS_CONF,
  `[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "${runtime}"\n`,
);
if (!['overlay', 'vfs'].some(storesBy)) giveUp('podman info fails: see `podman info`.');

const base = process.env.NODE_IMAGE || ownBase();
for (const app of APPS) {
  say(`Building the image of ${app} on ${base} …`);
  const args = ['--isolation', 'chroot', '--network', 'host', ...ownCertificates()];
  run(process.execPath, ['tools/build/build-image.mjs', app], {
    env: {
      ...process.env,
      CONTAINER_TOOL: 'podman',
      CONTAINER_ARGS: args.join(' '),
      NODE_IMAGE: base,
    },
  });
}

const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
run(process.execPath, [jest, 'tools/images/', '--verbose'], {
  env: { ...process.env, NODE_IMAGE: base },
});
// What the builds have left besides the images: a gigabyte.
run('podman', ['image', 'prune', '--force'], { stdio: 'ignore' });

function skip(reason) {
  console.log(`▸ The images were not tested: ${reason}.`);
  process.exit(0);
}

/** Others may be at work. */
function run(command, args, options = {}) {
  const { status } = spawnSync('nice', [command, ...args], {
    cwd: root,
    stdio: 'inherit',
    ...options,
  });
  if (status !== 0) giveUp(`${command} ${args.join(' ')} failed: see above.`);
}

/** Overlays are not to be had everywhere; copies are, and take more disk. */
function storesBy(driver) {
  const folders = `graphroot = "${FOLDER}/${driver}"\nrunroot = "${FOLDER}/${driver}-run"\n`;
  writeFileSync(process.env.CONTAINERS_STORAGE_CONF, `[storage]\ndriver = "${driver}"\n${folders}`);
  return spawnSync('podman', ['info']).status === 0;
}

function ownBase() {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const [, version, suite] = /^ARG NODE_IMAGE=node:([\d.]+)-(\w+)-slim/m.exec(dockerfile) ?? [];
  const image = `localhost/node-by-debootstrap:${version}-${suite}`;
  makeNodeBase({ image, version, suite, folder: FOLDER, run });
  return image;
}

/** Of a machine whose way to the registry of npm has a certificate authority of its own. */
function ownCertificates() {
  const file = process.env.NODE_EXTRA_CA_CERTS;
  return file ? ['--volume', `${file}:${file}:ro`] : [];
}
