import type { MonitoringLine } from '@cds/wire';
import type { BudgetState } from './budget-state';

const LEVELS = { all: 'OK', 'the-api': 'WARN', runs: 'AL' } as const;

/** The line of `/mon/status` about the calls of one server's OAuth consumer. */
export function budgetLine(name: string, limit: number, state: BudgetState): MonitoringLine {
  const status = LEVELS[state.allowed];
  return { component: `Bitbucket Calls ${name}`, type: '', status, value: describe(limit, state) };
}

function describe(limit: number, { spent, allowed, refusedSecondsAgo }: BudgetState): string {
  const parts = [`${spent}${limit > 0 ? ` of ${limit}` : ''} spent in the last hour`];
  if (refusedSecondsAgo !== undefined)
    parts.push(`Bitbucket refused calls ${Math.floor(refusedSecondsAgo / 60)} min ago`);
  if (allowed === 'the-api') parts.push('repairs of webhooks wait');
  if (allowed === 'runs') parts.push('listings are refused, runs go on');
  return parts.join('; ');
}

/** One line for the credentials of all VCS projects, whose number has no bound: the worst. */
export function projectsBudgetLine(states: readonly BudgetState[]): MonitoringLine[] {
  if (states.length === 0) return [];
  const short = states.filter(({ allowed }) => allowed !== 'all').length;
  const [worst = 'all'] = (['runs', 'the-api'] as const).filter((level) =>
    states.some(({ allowed }) => allowed === level),
  );
  const most = Math.max(...states.map(({ spent }) => spent));
  const parts = [`${states.length} credentials, the busiest spent ${most} in the last hour`];
  if (short > 0) parts.push(`${short} have few calls left`);
  if (worst === 'runs') parts.push('their listings are refused, runs go on');
  return [
    {
      component: 'Bitbucket Calls VCS Projects',
      type: '',
      status: LEVELS[worst],
      value: parts.join('; '),
    },
  ];
}
