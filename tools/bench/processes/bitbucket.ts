// Stands in for Bitbucket Cloud where only calls and their latency count: strict about tokens,
// paging and routes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Request } from 'express';
import { BitbucketApiError, queryOf, selectFields } from '@cds/stand-ins/bitbucket';
import { answerParent } from './answer-parent';
import { type Answer, exchangeCode, ROUTES, setOrigin } from './bitbucket-routes';
import { accountOf, push } from './bitbucket-world';

let latencyMs = 0;
let calls: Record<string, number> = {};

function serve(message: IncomingMessage, body: string): Answer {
  const [where = ''] = (message.url ?? '').split('?');
  if (message.method === 'POST' && where === '/site/oauth2/access_token') {
    count('token');
    return exchangeCode(body);
  }
  for (const [name, method, pattern, answer] of ROUTES) {
    if (message.method !== method) continue;
    const found = pattern.exec(where);
    if (!found) continue;
    count(name);
    const token = /^Bearer (.+)$/.exec(message.headers.authorization ?? '')?.[1] ?? '';
    const account = accountOf(token);
    if (account === undefined) throw new BitbucketApiError(401, 'Token is invalid');
    // The parts that page lists know of a request: its URL.
    const request = { originalUrl: message.url } as Request;
    const given = answer({ request, body, values: found.slice(1), account });
    const fields = queryOf(request).get('fields');
    return fields === null ? given : { ...given, body: selectFields(given.body, fields) };
  }
  count(`unknown ${message.method} ${where}`);
  throw new BitbucketApiError(404, 'Resource not found');
}

function count(name: string): void {
  calls[name] = (calls[name] ?? 0) + 1;
}

function answerTo(message: IncomingMessage, body: string): { status: number; text: string } {
  try {
    const { status = 200, body: given } = serve(message, body);
    return { status, text: JSON.stringify(given) };
  } catch (error) {
    if (!(error instanceof BitbucketApiError)) throw error;
    const told = error.toBody();
    return { status: error.status, text: JSON.stringify(told) };
  }
}

async function take(message: IncomingMessage, response: ServerResponse): Promise<void> {
  const due = performance.now() + latencyMs;
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const { status, text } = answerTo(message, Buffer.concat(chunks).toString('utf8'));
  // What this took is part of the latency, not on top of it.
  const left = due - performance.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
}

answerParent({
  /** @returns the origin; the API is below /2.0, OAuth below /site/oauth2 */
  async listen(milliseconds: number): Promise<string> {
    latencyMs = milliseconds;
    const server = createServer((message, response) => {
      take(message, response).catch(() => response.destroy());
    });
    server.keepAliveTimeout = 60_000;
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    setOrigin(origin);
    return origin;
  },
  /** Somebody pushes to the n-th branch. @returns the new commit */
  push: ([fullName, branch]: [string, number]) => push(fullName, branch),
  /** The calls since this was last asked, by name. */
  calls() {
    const counted = calls;
    calls = {};
    return counted;
  },
});
