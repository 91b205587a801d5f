import type { NextFunction, Request, Response } from 'express';

/** One request that a stand-in answered, or whose connection it cut (status 0). */
export interface LoggedRequest {
  at: string;
  method: string;
  /**
   * The route that served it, `/2.0/repositories/:workspace/:slug` for instance; '' when none did.
   */
  template: string;
  /** Path and query as they came. */
  url: string;
  status: number;
  durationMs: number;
  /** The trace context of W3C and B3 in its headers, by their names. */
  trace?: Record<string, string>;
}

export interface RequestLog {
  /** Oldest first; the oldest are dropped beyond 5,000. */
  entries(): LoggedRequest[];
  /** How many requests a route served; `template` is compared whole. */
  count(method: string, template: string): number;
  clear(): void;
  /** Told of each request when it is over. */
  onEntry(listener: (entry: LoggedRequest) => void): void;
  middleware(request: Request, response: Response, next: NextFunction): void;
}

const KEPT = 5_000;

/** Remembers what was asked, without headers and bodies: these hold secrets. */
export function createRequestLog(): RequestLog {
  let entries: LoggedRequest[] = [];
  const listeners: ((entry: LoggedRequest) => void)[] = [];
  return {
    onEntry: (listener) => void listeners.push(listener),
    entries: () => [...entries],
    count: (method, template) =>
      entries.filter((entry) => entry.method === method && entry.template === template).length,
    clear() {
      entries = [];
    },
    middleware(request, response, next) {
      const started = performance.now();
      const at = new Date().toISOString();
      response.once('close', () => {
        const route = request.route as { path?: string } | undefined;
        const entry: LoggedRequest = {
          at,
          method: request.method,
          template: route?.path ? `${request.baseUrl}${route.path}` : '',
          url: request.originalUrl,
          status: response.writableFinished ? response.statusCode : 0,
          durationMs: Math.round(performance.now() - started),
          ...traceOf(request),
        };
        entries.push(entry);
        for (const listener of listeners) listener(entry);
        if (entries.length > KEPT) entries = entries.slice(-KEPT);
      });
      next();
    },
  };
}

function traceOf({ headers }: Request): Pick<LoggedRequest, 'trace'> {
  const found = Object.entries(headers).filter(([name]) => /^(traceparent|b3|x-b3-.*)$/.test(name));
  if (found.length === 0) return {};
  return { trace: Object.fromEntries(found.map(([name, value]) => [name, String(value)])) };
}
