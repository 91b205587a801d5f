import { reasonOf } from '../command-error';
import {
  type Check,
  failed,
  type Finding,
  nameOf,
  type Outcome,
  type Outcomes,
  skipped,
} from './finding';

/** For one check, whatever does not answer. */
const LIMIT_MS = 15_000;

/**
 * Runs checks in their order, each for 15 s at most. One whose need failed or was skipped is
 * skipped, with the need as its reason.
 * @param onFinding called with each finding as it is there
 */
export async function runChecks(
  checks: readonly Check[],
  onFinding: (finding: Finding) => void,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) {
    const missing = findings.find(
      (each) => isNeeded(check, each) && (each.status === 'failed' || each.status === 'skipped'),
    );
    const outcomes = missing ? notChecked(missing) : await outcomesOf(check);
    for (const outcome of [outcomes].flat()) {
      const finding = { id: check.id, subject: check.subject ?? '', ...outcome };
      findings.push(finding);
      onFinding(finding);
    }
  }
  return findings;
}

function notChecked(missing: Finding): Outcome {
  const why = missing.status === 'failed' ? 'failed' : 'is not known';
  return skipped(`not checked: ${nameOf(missing)} ${why}`);
}

function isNeeded({ needs = [] }: Check, finding: Finding): boolean {
  return needs.includes(finding.id) || needs.includes(nameOf(finding));
}

/** What Redis forbids its user is not known; a check of its own says what the services lack. */
function outcomeOfError(reason: string): Outcome {
  if (/\bNOPERM\b/.test(reason))
    return skipped(`not known: ${reason}`, 'ask with a user of Redis who may read more');
  return failed(reason, 'look at what the message names, and ask again');
}

async function outcomesOf(check: Check): Promise<Outcomes> {
  const controller = new AbortController();
  const late = failed(
    `no answer within ${LIMIT_MS / 1_000} s`,
    'look at the network in between, and ask again',
  );
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => {
      controller.abort();
      resolve(late);
    }, LIMIT_MS);
  });
  const ask = async (): Promise<Outcomes> => check.run(controller.signal);
  try {
    return await Promise.race([
      ask().catch((error: unknown) => outcomeOfError(reasonOf(error))),
      limit,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
