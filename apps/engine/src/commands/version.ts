import type { Context } from '../context';
import { formatJson } from '../print';

// Put in by the build (tools/build/build-app.mjs).
declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;

/** Version and commit of this bundle; `development` where it was not built by the build. */
export function buildInfo(): { version: string; commit: string } {
  return {
    version: typeof BUILD_VERSION === 'string' ? BUILD_VERSION : 'development',
    commit: typeof BUILD_COMMIT === 'string' ? BUILD_COMMIT : 'unknown',
  };
}

/** `engine version` */
export function showVersion(o: { json?: true }, context: Context): void {
  const { version, commit } = buildInfo();
  const fields = { name: 'cds-bitbucket-cloud', version, commit, node: process.version };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  context.out(o.json ? formatJson(fields) : lines.join(''));
}
