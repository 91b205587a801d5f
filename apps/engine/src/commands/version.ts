import { buildInfo } from '../build-info';
import type { Context } from '../context';

/** `engine version` */
export function showVersion(context: Context): void {
  const { version, commit } = buildInfo();
  context.out(
    `name: cds-bitbucket-cloud\nversion: ${version}\ncommit: ${commit}\nnode: ${process.version}\n`,
  );
}
