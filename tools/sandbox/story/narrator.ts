import { showHidden } from '@cds/wire';
import type { BitbucketStandIn } from '@cds/stand-ins/bitbucket';
import type { CdsApiStandIn } from '@cds/stand-ins/cds-api';

/** Prints the story. */
export interface Narrator {
  chapter(title: string): void;
  line(text: string): void;
  proof(text: string): void;
  failure(text: string): void;
}

export function createNarrator(write: (line: string) => void, colours: boolean): Narrator {
  const paint = (code: number, text: string): string =>
    colours ? `\u001b[${code}m${showHidden(text)}\u001b[0m` : showHidden(text);
  let chapters = 0;
  return {
    chapter(title) {
      chapters += 1;
      write('');
      write(paint(1, `${String(chapters).padStart(2)}. ${title}`));
    },
    line: (text) => write(`    ${paint(2, text)}`),
    proof: (text) => write(`    ${paint(32, '✔')} ${showHidden(text)}`),
    failure: (text) => write(`    ${paint(31, '✖')} ${showHidden(text)}`),
  };
}

/** The same narrator, whose headlines stand among the calls on the page, too. */
export function withChapters(narrator: Narrator, page: { chapter(title: string): void }): Narrator {
  return {
    ...narrator,
    chapter(title) {
      page.chapter(title);
      narrator.chapter(title);
    },
  };
}

const LONGEST = 88;

/** One thing that was said, as the stand-ins heard it. */
interface Said {
  at: string;
  from: string;
  to: string;
  what: string;
  status: number | string;
}

/**
 * What was said between the four since the last time it was asked, in order. Heartbeats are left
 * out.
 */
export function createListener(bitbucket: BitbucketStandIn, api: CdsApiStandIn): () => string[] {
  const told = new Set<string>();

  return () => {
    const all: Said[] = [
      ...api
        .calls()
        .filter(isOver)
        .map(({ at, service, method, url, status }) => ({
          at,
          from: 'CDS API',
          to: service.replace('sandbox-', ''),
          what: `${method} ${url}`,
          status,
        })),
      ...api.requests
        .entries()
        .filter(({ url }) => !/^\/(services\/|auth\/|mon\/|workflow\/hook|config\/)/.test(url))
        .map(({ at, method, url, status }) => ({
          at,
          from: url.startsWith('/repositories_manager') ? 'browser' : 'hooks',
          to: 'CDS API',
          what: `${method} ${url}`,
          status,
        })),
      ...bitbucket.requests.entries().map(({ at, method, url, status }) => ({
        at,
        from: url.startsWith('/site/oauth2/authorize') ? 'browser' : 'vcs',
        to: 'Bitbucket',
        what: `${method} ${url}`,
        status,
      })),
      ...bitbucket.deliveries().flatMap(({ event, url, attempts }) =>
        attempts.map(({ at, outcome }) => ({
          at,
          from: 'Bitbucket',
          to: 'hooks',
          what: `POST ${new URL(url).pathname}  (${event})`,
          status: outcome,
        })),
      ),
    ].toSorted((a, b) => a.at.localeCompare(b.at));
    const news = all.filter(({ at, from, to, what }) => {
      const key = `${at} ${from} ${to} ${what}`;
      const isNew = !told.has(key);
      told.add(key);
      return isNew;
    });
    return news.map(
      ({ from, to, what, status }) =>
        `${from.padStart(9)} → ${to.padEnd(9)} ${shortened(what)} → ${status}`,
    );
  };
}

function isOver({ status, durationMs }: { status: number; durationMs: number }): boolean {
  return status !== 0 || durationMs > 0;
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
