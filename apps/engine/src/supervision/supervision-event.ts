/** An event of a group of processes, for the operator. */
export type SupervisionEvent =
  | { kind: 'restarting'; child: string; end: ChildEnd; pauseMs: number }
  | { kind: 'ending'; child: string; end: ChildEnd; others: string[] }
  | { kind: 'killing'; children: string[] }
  | { kind: 'waiting-for-api'; url: string };

/** How a process ended. */
export interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Why it could not be started. */
  error?: string;
  /** There is no such program, so that another try is of no use. */
  isMissing?: boolean;
}

/** For a person at a terminal. */
export function sentenceOf(event: SupervisionEvent): string {
  switch (event.kind) {
    case 'restarting':
      return `${event.child} ${describe(event.end)}: starting it again in ${event.pauseMs / 1_000} s.`;
    case 'ending': {
      const stopping = event.others.length > 0 ? `: stopping ${event.others.join(', ')}` : '';
      return `${event.child} ${describe(event.end)}${stopping}.`;
    }
    case 'killing':
      return `Killing what did not end in time: ${event.children.join(', ')}.`;
    case 'waiting-for-api':
      return `Waiting for the CDS API at ${event.url} …`;
  }
}

const RECORDS = {
  restarting: { level: 'warning', msg: 'service ended, starting it again' },
  ending: { level: 'error', msg: 'service ended, stopping the others' },
  killing: { level: 'error', msg: 'services did not end in time, killing them' },
  'waiting-for-api': { level: 'info', msg: 'waiting for the CDS API' },
} as const;

/** For a collector of logs: a line of JSON, as the services write them. */
export function logLineOf({ kind, ...fields }: SupervisionEvent): string {
  return logLine({ ...fields, ...RECORDS[kind] });
}

export function logLine({ level = 'warning', ...fields }: Record<string, unknown>): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ level, time, service: 'engine', ...fields })}\n`;
}

function describe({ code, signal, error }: ChildEnd): string {
  if (error !== undefined) return `could not be started (${error})`;
  return code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
}
