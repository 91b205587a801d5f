import { type Check, failed, type Finding, type Outcome, reasonOf, skipped } from './finding';

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
    const outcomes = missing
      ? [
          skipped(
            `not checked: ${nameOf(missing)} ${missing.status === 'failed' ? 'failed' : 'is not known'}`,
          ),
        ]
      : await outcomesOf(check);
    for (const outcome of outcomes) {
      const finding = { id: check.id, subject: check.subject ?? '', ...outcome };
      findings.push(finding);
      onFinding(finding);
    }
  }
  return findings;
}

/** Its id, and its subject where it has one. */
export function nameOf({ id, subject }: Pick<Finding, 'id' | 'subject'>): string {
  return subject === '' ? id : `${id} ${subject}`;
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

async function outcomesOf(check: Check): Promise<readonly (Outcome & { subject?: string })[]> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => {
      controller.abort();
      resolve(
        failed(
          `no answer within ${LIMIT_MS / 1_000} s`,
          'look at the network in between, and ask again',
        ),
      );
    }, LIMIT_MS);
  });
  const asking = check
    .run(controller.signal)
    .catch((error: unknown) => outcomeOfError(reasonOf(error)));
  try {
    const answer = await Promise.race([asking, limit]);
    return 'status' in answer ? [answer] : answer;
  } finally {
    clearTimeout(timer);
  }
}
