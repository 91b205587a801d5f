import type { Monitoring } from '@cds/service';
import { CdsError } from '@cds/wire';
import type { Request } from 'express';
import type { Resources } from '../../resources';
import type { HandleTasks } from '../../tasks/task-handlers';
import type { TaskService } from '../../tasks/task-service';
import type { AdminService } from '../admin-service';

/** What the pages show, and what their actions call. */
export interface PageDeps extends Pick<
  Resources,
  'config' | 'logger' | 'now' | 'queues' | 'redis'
> {
  admin: AdminService;
  tasks: TaskService;
  handleTasks: Pick<HandleTasks, 'nextRun'>;
  monitoring: Pick<Monitoring, 'status'>;
  /** Of the CDS UI; empty while it is not known. */
  uiUrl: () => string;
}

/** What a request asks of a page. */
export interface PageRequest {
  deps: PageDeps;
  query: Query;
  params: Readonly<Record<string, string>>;
  formToken: string;
  /** Aborted when nobody waits for the page any longer: it may read much. */
  signal: AbortSignal;
}

const MAX_TEXT = 512;

export type Query = ReturnType<typeof readQuery>;

/** The query of a URL, or a form, bounded. A name that is given twice counts as not given. */
export function readQuery(given: unknown) {
  const values = (given ?? {}) as Record<string, unknown>;
  const text = (name: string): string => {
    const value = values[name];
    return typeof value === 'string' ? value.trim().slice(0, MAX_TEXT) : '';
  };
  return {
    text,
    /** @throws CdsError 400 */
    count(name: string, otherwise: number, most: number): number {
      const value = text(name);
      if (value === '') return otherwise;
      if (/^\d{1,9}$/.test(value) && Number(value) <= most) return Number(value);
      throw new CdsError('wrongRequest', {
        from: `${name} is no whole number from 0 to ${most}`,
      });
    },
    /** One of some words; the first where none is given. @throws CdsError 400 */
    oneOf<const T extends string>(name: string, words: readonly [T, ...T[]]): T {
      const value = text(name);
      const word = value === '' ? words[0] : words.find((each) => each === value);
      if (word !== undefined) return word;
      throw new CdsError('wrongRequest', { from: `${name} is none of ${words.join(', ')}` });
    },
  };
}

export function pageRequest(
  deps: PageDeps,
  request: Request,
  of: Pick<PageRequest, 'formToken' | 'signal'>,
): PageRequest {
  const params = Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [name, String(value)]),
  );
  return { deps, query: readQuery(request.query), params, ...of };
}

/** Items of one page. */
export const PAGE = 50;
/** Of a list whose pages are counted from its beginning. */
export const MAX_OFFSET = 1_000_000;
