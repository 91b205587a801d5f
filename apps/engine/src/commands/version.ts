import { buildInfo } from '../build-info';
import type { Context } from '../context';
import { formatJson } from '../print-json';

/** `engine version` */
export function showVersion(o: { json?: true }, context: Context): void {
  const { version, commit } = buildInfo();
  const fields = { name: 'cds-bitbucket-cloud', version, commit, node: process.version };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  context.out(o.json ? formatJson(fields) : lines.join(''));
}
