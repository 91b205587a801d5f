import { z } from 'zod';
import type { CallContext } from '../client-types';
import type { Route } from '../routes';
import type { ApiHttp } from './api-http';
import { BitbucketError } from './bitbucket-error';
import { boundedArray } from '../schemas/bounded-array';
import type { PathValues } from './urls';

const MAX_PAGES = 1_000;
const MAX_LIST_BYTES = 64 * 1024 * 1024;

/** How much may still be read for one answer of ours; lists that make one answer together share it. */
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
  /** Default: one of its own. */
  budget?: ListBudget;
}

/**
 * Reads a list page by page, each when it is asked for. `next` is opaque and holds every parameter, so that it is followed
 * exactly as given, and no page can be asked for before the one that leads to it. A list that leads back to a page already
 * read, or has more than 1,000 pages or 64 MiB, is refused.
 */
export async function* readPages<T>(
  http: ApiHttp,
  route: Route,
  o: ListCall<T>,
  ctx: CallContext,
): AsyncGenerator<T[], undefined> {
  const pageSchema = z.object({
    values: boundedArray(o.item),
    // Anything else is no end: half a list taken for the whole would be worse than none.
    next: z.string().nullish(),
  });
  const budget = o.budget ?? listBudget();
  const seen = new Set<string>();
  let answer = await http.call(route, { path: o.path, query: o.query }, ctx);
  for (let pages = 1; ; pages += 1) {
    seen.add(answer.url);
    budget.bytes -= answer.bytes;
    if (budget.bytes < 0) throw refuse(route, `the list is larger than ${MAX_LIST_BYTES} bytes`);
    const { values, next } = answer.read(pageSchema);
    yield values;
    if (!next) return undefined;
    if (seen.has(next)) throw refuse(route, 'the pages lead in a circle');
    if (pages === MAX_PAGES) throw refuse(route, `there are more than ${MAX_PAGES} pages`);
    seen.add(next);
    answer = await http.follow(route, next, answer.url, ctx);
  }
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
    call: `${route.method} ${route.template}`,
    bitbucketMessage,
  });
}
