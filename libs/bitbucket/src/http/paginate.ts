import { z } from 'zod';
import type { CallContext } from '../client-types';
import type { Route } from '../routes';
import { type ApiAnswer, type ApiHttp, callName } from './api-http';
import { BitbucketError } from './bitbucket-error';
import { boundedArray } from '../schemas/bounded-array';
import type { PathValues } from './urls';

const MAX_PAGES = 1_000;
const MAX_LIST_BYTES = 64 * 1024 * 1024;
/** Unreadable items of a page that are warned of one by one. */
const MAX_WARNINGS = 5;
const MAX_NAME_CHARACTERS = 100;

/** How much may still be read for one answer; lists that make it together share it. */
export interface ListBudget {
  bytes: number;
}

export function listBudget(): ListBudget {
  return { bytes: MAX_LIST_BYTES };
}

export interface ListCall<T> {
  path: PathValues;
  query: URLSearchParams;
  /** Schema of one value. */
  item: z.ZodType<T>;
  /** Names a value, so that duplicates are found; '' for one that is never a duplicate. */
  identity: (value: T) => string;
  /** Default: one of its own. */
  budget?: ListBudget;
}

/** A page; `size`, of the whole list, is missing in some lists. */
interface Page {
  url: string;
  values: unknown[];
  next?: string | null | undefined;
  size?: number | undefined;
}

const pageSchema = z.object({
  values: boundedArray(z.unknown()),
  // Anything else is no end: half a list taken for the whole would be worse than none.
  next: z.string().nullish(),
  size: z.number().int().nonnegative().optional().catch(undefined),
});

/**
 * Reads a list page by page, each when it is asked for. `next` is opaque, so it is followed as
 * given. A list is refused when it leads back to a page, or has more than 1,000 pages or 64 MiB.
 * A list may move while it is read. A duplicate is returned once. When the list became shorter, a
 * value may have moved to the end of the page before, which is then read again. A value that cannot
 * be read is left out with a warning.
 */
export async function* readPages<T>(
  http: ApiHttp,
  route: Route,
  o: ListCall<T>,
  ctx: CallContext,
): AsyncGenerator<T[], undefined> {
  const budget = o.budget ?? listBudget();
  const seen = new Set<string>();
  const take = createTake(http, route, o);

  function pageOf(answer: ApiAnswer): Page {
    budget.bytes -= answer.bytes;
    if (budget.bytes < 0) throw refuse(route, `the list is larger than ${MAX_LIST_BYTES} bytes`);
    return { url: answer.url, ...answer.read(pageSchema) };
  }

  /** What moved to pages before the one that was just read. */
  async function* missed(removed: number): AsyncGenerator<T[]> {
    let left = removed;
    for (const { url, count } of before.toReversed()) {
      if (left <= 0) return;
      yield take(pageOf(await http.follow(route, url, url, ctx)).values);
      left -= count;
    }
  }

  const before: { url: string; count: number }[] = [];
  let size: number | undefined;
  let answer = await http.call(route, { path: o.path, query: o.query }, ctx);
  for (;;) {
    const page = pageOf(answer);
    seen.add(page.url);
    if (size !== undefined && page.size !== undefined) yield* missed(size - page.size);
    size = page.size;
    yield take(page.values);
    before.push({ url: page.url, count: page.values.length });
    const { next } = page;
    if (!next) return undefined;
    if (seen.has(next)) throw refuse(route, 'the pages lead in a circle');
    if (before.length === MAX_PAGES) throw refuse(route, `there are more than ${MAX_PAGES} pages`);
    seen.add(next);
    answer = await http.follow(route, next, page.url, ctx);
  }
}

/** Returns the values of a page, without duplicates and unreadable ones. */
function createTake<T>(
  http: ApiHttp,
  route: Route,
  { item, identity }: ListCall<T>,
): (values: readonly unknown[]) => T[] {
  const taken = new Set<string>();
  const isNew = (value: T): boolean => {
    const id = identity(value);
    if (id === '') return true;
    if (taken.has(id)) return false;
    taken.add(id);
    return true;
  };
  return (values) => {
    const read = values.map((value) => ({ value, ...item.safeParse(value) }));
    const unreadable = read.filter(({ success }) => !success);
    // All of them: then it is no list of this, and nothing would be taken for the whole.
    if (values.length > 0 && unreadable.length === values.length)
      throw refuse(route, `values.0 is not as expected (${problemOf(unreadable[0])})`);
    for (const one of unreadable.slice(0, MAX_WARNINGS))
      http.logger?.warn(
        { call: callName(route), item: nameOf(one.value), problem: problemOf(one) },
        'list item cannot be read: left out',
      );
    return read.flatMap(({ data }) => (data === undefined || !isNew(data) ? [] : [data]));
  };
}

function problemOf(one: { error?: z.ZodError } | undefined): string {
  const issue = one?.error?.issues[0];
  return issue ? `${issue.path.join('.') || 'it'}: ${issue.message}` : 'unknown';
}

/** The name of an item of any list, as far as Bitbucket gives one. */
function nameOf(value: unknown): string {
  const item = Object(value) as Record<string, unknown>;
  const fields = ['full_name', 'name', 'key', 'id', 'uuid', 'hash', 'slug'];
  const names = fields.map((field) => item[field]);
  const name = names.find((each) => typeof each === 'string' || typeof each === 'number');
  return String(name ?? 'without a name').slice(0, MAX_NAME_CHARACTERS);
}

/** A list as a whole, or the first `limit` values of it. */
export async function collectPages<T>(
  http: ApiHttp,
  route: Route,
  { limit = Infinity, ...o }: ListCall<T> & { limit?: number },
  ctx: CallContext,
): Promise<T[]> {
  const values: T[] = [];
  for await (const page of readPages(http, route, o, ctx)) {
    for (const value of page) values.push(value);
    if (values.length >= limit) break;
  }
  return values.length > limit ? values.slice(0, limit) : values;
}

function refuse(route: Route, bitbucketMessage: string): BitbucketError {
  return new BitbucketError({
    kind: 'invalid-answer',
    call: callName(route),
    bitbucketMessage,
  });
}
