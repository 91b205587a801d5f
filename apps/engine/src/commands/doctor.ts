import { formatJson } from '../print';
import type { ConfigOption } from '../command-options';
import { EXIT_FAILED, usageError } from '../command-error';
import type { Context } from '../context';
import { allChecks } from '../doctor/all-checks';
import { formatFinding, formatSummary } from '../doctor/print-findings';
import { runChecks } from '../doctor/run-checks';

export interface DoctorOptions extends ConfigOption {
  json?: true;
  repository?: string;
}

/**
 * `engine doctor`: checks everything between the files and a working system, and changes nothing.
 * Returns the exit code: 1 where something fails.
 */
export async function doctor(o: DoctorOptions, context: Context): Promise<number> {
  const { repository } = o;
  if (repository !== undefined && !/^[^\s/]+\/[^\s/]+$/.test(repository))
    throw usageError(`${JSON.stringify(repository.slice(0, 200))} is no workspace/repository.`);
  const { env, documents } = context;
  const { checks, mask, close } = allChecks({ files: o.config, documents, env, repository });
  try {
    const findings = await runChecks(checks, (finding) => {
      if (!o.json) context.out(formatFinding(mask(finding)));
    });
    if (o.json) context.out(formatJson(findings.map(mask)));
    else context.out(formatSummary(findings));
    return findings.some(({ status }) => status === 'failed') ? EXIT_FAILED : 0;
  } finally {
    close();
  }
}
