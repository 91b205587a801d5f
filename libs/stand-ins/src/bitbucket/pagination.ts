import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { BitbucketApiError } from './api-error';
import type { Json } from './model';

export interface PageLimits {
  /** Page length where none is asked for. */
  usual: number;
  /** Largest page length. */
  largest: number;
}

export const USUAL_PAGES: PageLimits = { usual: 10, largest: 100 };
export const COMMIT_PAGES: PageLimits = { usual: 30, largest: 100 };
export const PULL_REQUEST_PAGES: PageLimits = { usual: 10, largest: 50 };

/** Parameters that may stand several times in a query. */
const REPEATABLE = new Set(['state', 'include', 'exclude']);

/** The query of a request. @throws BitbucketApiError 400 where a parameter stands twice. */
export function queryOf(request: Request): URLSearchParams {
  const start = request.originalUrl.indexOf('?');
  const query = new URLSearchParams(start < 0 ? '' : request.originalUrl.slice(start + 1));
  const seen = new Set<string>();
  for (const name of query.keys()) {
    if (seen.has(name) && !REPEATABLE.has(name))
      throw new BitbucketApiError(400, `Duplicate query parameter: ${name}`);
    seen.add(name);
  }
  return query;
}

export interface Pages {
  /** One page of `values`, as the request's query asks for it. */
  page(request: Request, values: Json[], limits?: PageLimits): Json;
}

/**
 * Cuts lists into pages. A page is named by a cursor that only this server can read, and that is
 * good only in the very `next` link it was given in. A page counts by position in the list as it is
 * then: what comes and goes meanwhile moves the rest, as at the real one. `page` and `previous` are
 * left out, and `size` where `tellsSize` does not say otherwise: nobody may rely on them.
 */
export function createPages(publicUrl: () => string, tellsSize = false): Pages {
  const cursors = new Map<string, { location: string; offset: number }>();

  function offsetOf(cursor: string | null, location: string): number {
    if (cursor === null) return 0;
    const found = cursors.get(cursor);
    if (!found || found.location !== location) throw new BitbucketApiError(400, 'Invalid page');
    return found.offset;
  }

  return {
    page(request, values, limits = USUAL_PAGES) {
      const query = queryOf(request);
      const pagelen = pagelenOf(query, limits);
      const cursor = query.get('page');
      query.delete('page');
      const path = request.originalUrl.split('?')[0] ?? '';
      const location = `${path}?${query.toString()}`;
      const offset = offsetOf(cursor, location);
      const end = offset + pagelen;
      const size = tellsSize ? { size: values.length } : {};
      const page: Json = { pagelen, values: values.slice(offset, end), ...size };
      if (end < values.length) {
        const next = randomBytes(3).toString('base64url');
        cursors.set(next, { location, offset: end });
        query.set('page', next);
        page['next'] = `${publicUrl()}${path}?${query.toString()}`;
      }
      return page;
    },
  };
}

function pagelenOf(query: URLSearchParams, limits: PageLimits): number {
  const text = query.get('pagelen');
  if (text === null) return limits.usual;
  const pagelen = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (pagelen < 10 || pagelen > limits.largest) throw new BitbucketApiError(400, 'Invalid pagelen');
  return pagelen;
}
