// Builds the image of an app with docker, or with the tool that CONTAINER_TOOL names (podman,
// buildah). The base image is an argument: NODE_IMAGE=… (the one that the Dockerfile names, unless
// set). IMAGE_SOURCE is the address of the repository, for the label.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { revision } from './revision.mjs';

const app = process.argv[2];
if (!app) throw new Error('usage: node tools/build/build-image.mjs APP');

const tool = process.env.CONTAINER_TOOL ?? 'docker';
const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'));

const buildArguments = {
  NODE_IMAGE: process.env.NODE_IMAGE,
  VERSION: version,
  GIT_COMMIT: revision(),
  BUILD_TIME: new Date().toISOString(),
  SOURCE: process.env.IMAGE_SOURCE,
};

const { status, error } = spawnSync(
  tool,
  [
    'build',
    // OCI's own format, which they take by default, has no health check.
    ...(['podman', 'buildah'].includes(basename(tool)) ? ['--format', 'docker'] : []),
    '--file',
    'Dockerfile',
    '--target',
    app,
    ...Object.entries(buildArguments).flatMap(([key, value]) =>
      value ? ['--build-arg', `${key}=${value}`] : [],
    ),
    '--tag',
    `${name}-${app}:${version}`,
    '--tag',
    `${name}-${app}:latest`,
    ...(process.env.CONTAINER_ARGS?.split(' ') ?? []),
    '.',
  ],
  { stdio: 'inherit' },
);
if (error) {
  console.error(
    `✖ ${tool} cannot be run (${error.message}): install Docker, or name another tool in CONTAINER_TOOL.`,
  );
}
process.exit(status ?? 1);
