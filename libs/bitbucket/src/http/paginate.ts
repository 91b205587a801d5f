import { z } from 'zod';
import type { CallContext } from '../client-types';
import type { Route } from '../routes';
import type { ApiHttp } from './api-http';
import { BitbucketError } from './bitbucket-error';
import type { PathValues } from './urls';

const MAX_PAGES = 1_000;

export interface ListCall<T> {
  path: PathValues;
  query: URLSearchParams;
  /** Schema of one value. */
  item: z.ZodType<T>;
  /** The first so many values; all when left out. */
  limit?: number;
}

/**
 * Reads a list page by page. `next` is opaque and holds every parameter, so that it is followed exactly as given. A list
 * that leads back to a page already read, or has more than 1,000 pages, is refused.
 */
export async function collectPages<T>(
  http: ApiHttp,
  route: Route,
  o: ListCall<T>,
  ctx: CallContext,
): Promise<T[]> {
  const pageSchema = z.object({
    values: z.array(o.item),
    next: z.string().min(1).optional().catch(undefined),
  });
  const limit = o.limit ?? Infinity;
  const values: T[] = [];
  const seen = new Set<string>();
  let answer = await http.call(route, { path: o.path, query: o.query }, ctx);
  for (let pages = 1; ; pages += 1) {
    seen.add(answer.url);
    const page = answer.read(pageSchema);
    for (const value of page.values) values.push(value);
    if (page.next === undefined || values.length >= limit) break;
    if (seen.has(page.next)) throw refuse(route, 'the pages lead in a circle');
    if (pages === MAX_PAGES) throw refuse(route, `there are more than ${MAX_PAGES} pages`);
    seen.add(page.next);
    answer = await http.follow(route, page.next, answer.url, ctx);
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
