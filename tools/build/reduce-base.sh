#!/bin/sh
# Takes out of a copy of the base image what no service runs: package managers, headers, manuals, and the right of a
# program to run as another user. It edits files alone, so the copy may be of another platform than the builder's.
set -eu
[ -n "${1:-}" ] || { echo 'usage: reduce-base.sh FOLDER' >&2; exit 2; }
cd "$1"

rm -rf usr/local/lib/node_modules usr/local/include usr/local/share/doc usr/local/share/man \
  usr/local/CHANGELOG.md usr/local/README.md opt/yarn-* tmp/* root/.npm \
  usr/local/bin/docker-entrypoint.sh
for command in npm npx corepack yarn yarnpkg pnpm pnpx; do
  rm -f "usr/local/bin/$command"
done

find . -perm /6000 ! -type l -exec chmod ug-s {} +
