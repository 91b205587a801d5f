import * as z from 'zod';
import type { CallContext } from '../client-types';
import { callName, type Route } from '../routes';
import { boundedArray } from '../schemas/text';
import type { ApiAnswer, ApiHttp } from './api-http';
import { invalidAnswer } from './bitbucket-error';
import type { PathValues } from './urls';

const MAX_PAGES = 1_000;
const MAX_LIST_BYTES = 64 * 1024 * 1024;
/** Unreadable items of a page that are warned of one by one. */
const MAX_WARNINGS = 5;
const MAX_NAME_CHARACTERS = 100;

/** How much may still be read for one answer; lists that make it together share it. */
export function listBudget() {
  return { bytes: MAX_LIST_BYTES };
}
export type ListBudget = ReturnType<typeof listBudget>;

/**
 * The query of a list: `pagelen`, `fields` (the parts of each value that are used), and, where the
 * list takes one, a `sort` key that does not change: pages are counted by position, and a push
 * would move a branch to another page.
 * https://developer.atlassian.com/cloud/bitbucket/rest/intro/#partial-response
 */
export function listQuery(
  pagelen: number,
  valueFields: string,
  sort?: 'name' | 'created_on' | '-created_on',
): URLSearchParams {
  const fields = [...valueFields.split(',').map((field) => `values.${field}`), 'next', 'size'];
  return new URLSearchParams({
    pagelen: String(pagelen),
    fields: fields.join(','),
    ...(sort && { sort }),
  });
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

const pageSchema = z.object({
  values: boundedArray(z.unknown()),
  // Anything else is no end: half a list taken for the whole would be worse than none.
  next: z.string().nullish(),
  // Of the whole list; missing in some lists.
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
  const invalid = (message: string) => invalidAnswer(callName(route), message);

  function pageOf(answer: ApiAnswer) {
    budget.bytes -= answer.body.length;
    if (budget.bytes < 0) throw invalid(`the list is larger than ${MAX_LIST_BYTES} bytes`);
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
    if (seen.has(next)) throw invalid('the pages lead in a circle');
    if (before.length === MAX_PAGES) throw invalid(`there are more than ${MAX_PAGES} pages`);
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
      throw invalidAnswer(
        callName(route),
        `values.0 is not as expected (${problemOf(unreadable[0])})`,
      );
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
