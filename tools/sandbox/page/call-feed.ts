import { randomUUID } from 'node:crypto';
import type { BitbucketStandIn, Delivery } from '@cds/stand-ins/bitbucket';
import type { CdsApiStandIn } from '@cds/stand-ins/cds-api';
import { withoutSecrets } from './without-secrets';

/** Who talks to whom. */
export type Party = 'somebody' | 'browser' | 'Bitbucket' | 'hooks' | 'CDS API' | 'vcs';

/** One thing that was said, or done. */
export interface FeedRow {
  /** Grows with every row. */
  id: number;
  /** When it began. */
  at: string;
  kind: 'call' | 'action' | 'chapter';
  from: Party | '';
  to: Party | '';
  /** Method and path of a call; else what was done. */
  what: string;
  /** The status of the answer; a word where there was none. */
  status: number | string;
  ms: number;
  /** What the answer says, where it helps to understand. */
  remark: string;
  /** Registrations and the like: of no interest most of the time. */
  noise: boolean;
}

export type CallFeed = ReturnType<typeof createCallFeed>;

const KEPT = 400;
const LONGEST = 300;
const NOISE = /^\/(services\/|auth\/|mon\/|workflow\/hook|config\/)/;

/** Hears what the stand-ins hear, and keeps the last of it in the order in which it ended. */
export function createCallFeed({
  bitbucket,
  api,
}: {
  bitbucket: BitbucketStandIn;
  api: CdsApiStandIn;
}) {
  let rows: FeedRow[] = [];
  let lastId = 0;

  function add(row: Pick<FeedRow, 'at' | 'what'> & Partial<FeedRow>): void {
    lastId += 1;
    rows.push({
      id: lastId,
      kind: 'call',
      from: '',
      to: '',
      status: '',
      ms: 0,
      noise: false,
      ...row,
      what: bounded(row.what),
      remark: bounded(row.remark ?? ''),
    });
    if (rows.length > KEPT) rows = rows.slice(-KEPT);
  }

  api.requests.onEntry(({ at, method, url, status, durationMs }) =>
    add({
      at,
      from: url.startsWith('/repositories_manager') ? 'browser' : 'hooks',
      to: 'CDS API',
      what: `${method} ${url}`,
      status: status || 'cut off',
      ms: durationMs,
      noise: NOISE.test(url),
    }),
  );
  api.onCall(({ at, service, method, url, status, durationMs }) =>
    add({
      at,
      from: 'CDS API',
      to: /^\/vcs(\/|$)/.test(url) ? 'vcs' : 'hooks',
      what: `${method} ${url}`,
      status: status || 'no answer',
      ms: durationMs,
      remark: '',
      noise: service === '' || url === '/vcs',
    }),
  );
  bitbucket.requests.onEntry(({ at, method, url, status, durationMs }) =>
    add({
      at,
      from: url.startsWith('/site/oauth2/authorize') ? 'browser' : 'vcs',
      to: 'Bitbucket',
      what: `${method} ${url}`,
      status: status || 'cut off',
      ms: durationMs,
    }),
  );
  bitbucket.onAttempt((delivery, { at, outcome, durationMs, answer }) =>
    add({
      at,
      from: 'Bitbucket',
      to: 'hooks',
      what: `POST ${new URL(delivery.url).pathname}`,
      status: outcome,
      ms: durationMs,
      remark: `${remarkOf(delivery)}${said(answer)}`,
    }),
  );
  bitbucket.onForgery(({ at, url, status, signature, durationMs, answer }) =>
    add({
      at,
      from: 'somebody',
      to: 'hooks',
      what: `POST ${new URL(url).pathname}`,
      status: status || 'no answer',
      ms: durationMs,
      remark: `forged, ${signature === 'none' ? 'without a signature' : 'wrongly signed'}${said(answer)}`,
    }),
  );
  for (const [side, controls] of [
    ['Bitbucket', bitbucket.controls],
    ['CDS', api.controls],
  ] as const)
    controls.onAction(({ at, name, input }) => {
      const values = Object.values(input).filter((value) => typeof value !== 'object');
      add({ at, kind: 'action', what: [`${side}: ${name}`, ...values.map(String)].join(' · ') });
    });

  return {
    /** Ids of another run mean nothing. */
    epoch: randomUUID(),
    /** The rows after `id`, oldest first. */
    since: (id: number): FeedRow[] => rows.filter((row) => row.id > id),
    lastId: () => lastId,
    /** A headline among the calls. */
    chapter: (title: string) => add({ at: new Date().toISOString(), kind: 'chapter', what: title }),
    /** Something that a person did without a control action. */
    acted: (what: string) => add({ at: new Date().toISOString(), kind: 'action', what }),
  };
}

function remarkOf({ event, resent }: Delivery): string {
  return `${event}${resent ? ', sent again' : ''}`;
}

function said(answer: string): string {
  return answer ? ` → ${answer}` : '';
}

function bounded(text: string): string {
  const clean = withoutSecrets(text);
  return clean.length <= LONGEST ? clean : `${clean.slice(0, LONGEST - 1)}…`;
}
