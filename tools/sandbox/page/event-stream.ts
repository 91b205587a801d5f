import type { Request, Response } from 'express';

export interface EventStreamOptions {
  /** What a client gets first. */
  greet: (send: Send) => void;
  /** Told when somebody begins to watch, and when nobody does any more. */
  watched: (isWatched: boolean) => void;
}

export type Send = (event: string, data: unknown) => void;
export type EventStream = ReturnType<typeof createEventStream>;

const MAX_CLIENTS = 20;
/**
 * Bytes that wait for a client which does not read: then it is let go, and comes again when it can.
 */
const MAX_WAITING = 2 * 1024 * 1024;
const KEEP_ALIVE_MS = 15_000;

/**
 * Server-Sent Events for a bounded number of clients; a slow one costs a bounded amount of memory.
 */
export function createEventStream(options: EventStreamOptions) {
  const clients = new Set<Response>();

  function write(client: Response, text: string): void {
    if (client.writableLength > MAX_WAITING) client.destroy();
    else client.write(text);
  }

  const keepAlive = setInterval(() => {
    for (const client of clients) write(client, ': still here\n\n');
  }, KEEP_ALIVE_MS).unref();

  return {
    size: () => clients.size,

    /** The route. */
    handle(request: Request, response: Response): void {
      if (clients.size >= MAX_CLIENTS) {
        response
          .status(503)
          .set('Retry-After', '5')
          .json({
            error: `${MAX_CLIENTS} pages are watching already: close one.`,
          });
        return;
      }
      response
        .status(200)
        .set('Content-Type', 'text/event-stream')
        .set('Cache-Control', 'no-store');
      response.flushHeaders();
      response.write('retry: 1000\n\n');
      clients.add(response);
      if (clients.size === 1) options.watched(true);
      request.once('close', () => {
        clients.delete(response);
        if (clients.size === 0) options.watched(false);
      });
      options.greet((event, data) => write(response, message(event, data)));
    },

    /** To everybody who watches. */
    send(event: string, data: unknown): void {
      const text = message(event, data);
      for (const client of clients) write(client, text);
    },

    close(): void {
      clearInterval(keepAlive);
      for (const client of clients) client.destroy();
    },
  };
}

/** JSON has no line breaks of its own. */
function message(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
