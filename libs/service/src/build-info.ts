import type { VersionInfo } from '@cds/wire';

// Written into the bundle when an app is built; absent when the sources are run as they are.
declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;
declare const BUILD_TIME: string | undefined;

/** What this build is. A build that was not made for a release is a `snapshot`, as CDS calls it. */
export function buildInfo(): { version: string; commit: string; time: string } {
  return {
    version: (typeof BUILD_VERSION === 'string' && BUILD_VERSION) || 'snapshot',
    commit: typeof BUILD_COMMIT === 'string' ? BUILD_COMMIT : '',
    time: typeof BUILD_TIME === 'string' ? BUILD_TIME : '',
  };
}

/** The answer of `/mon/version`. CDS names architectures and systems as Go does. */
export function versionInfo(): VersionInfo {
  const { version, commit, time } = buildInfo();
  return {
    version,
    architecture: GO_ARCHITECTURES[process.arch] ?? process.arch,
    os: process.platform === 'win32' ? 'windows' : process.platform,
    git_hash: commit,
    build_time: time,
    db_migrate: null,
  };
}

const GO_ARCHITECTURES: Partial<Record<string, string>> = { x64: 'amd64', ia32: '386' };
