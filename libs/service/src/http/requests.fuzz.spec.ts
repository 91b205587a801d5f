import { connect } from 'node:net';
import fc from 'fast-check';
import * as z from 'zod';
import { captureLogger, fuzzRuns, hostileBytes, hostileJson } from '@cds/testing';
import { CdsError, isCdsErrorBody } from '@cds/wire';
import type { Request } from 'express';
import { DESCRIPTION } from '../../test/description';
import { createHttpApp, createRouter, handle, listen, type HttpServer } from '../index';
import { readJson } from './read-json';

const HASH = 'Kp2-the-hash-nobody-may-read';
const BODY = 'Lw5-the-body-nobody-may-read';
const schema = z.object({ name: z.string(), list: z.array(z.number()).nullish() });

let server: HttpServer;
let lines: Record<string, unknown>[];
beforeAll(async () => {
  const captured = captureLogger();
  ({ lines } = captured);
  const route = handle(async (req) => ({ ...readJson(req, schema), query: req.query }));
  const app = createHttpApp({
    logger: captured.logger,
    callers: { isAllowed: ({ headers }) => headers.x_auth_header === HASH },
    monitoring: async () => ({ now: 'now', lines: [] }),
    guarded: createRouter()
      .post('/things/:name', DESCRIPTION, () => route)
      .get('/things/*rest', DESCRIPTION, () => route),
    lingerMs: 50,
  });
  const times = { headers: 300, request: 300, check: 50 };
  server = await listen(app, { addr: '127.0.0.1', port: 0, logger: captured.logger, times });
});
afterAll(() => server.close(0));

/**
 * All that the server said to `bytes` until it hung up; '' when it reset the connection. To a
 * client that has hung up itself it may say nothing.
 */
function tell(bytes: Uint8Array, how: 'and wait' | 'and hang up'): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(server.port, '127.0.0.1', () => {
      if (how === 'and wait') socket.write(bytes);
      else socket.end(bytes);
    });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

function expectWellMannered(answers: string): void {
  const [head = '', ...rest] = answers.split('\r\n\r\n');
  if (answers === '') return;
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).not.toBe(500);
  if (status >= 400 && rest.length === 1 && rest[0] !== '') {
    expect(isCdsErrorBody(JSON.parse(rest[0] ?? ''))).toBe(true);
  }
}

const piece = fc.oneof(
  fc.constantFrom(
    'GET',
    'POST',
    'HEAD',
    'OPTIONS',
    'CONNECT',
    'TRACE',
    'PUT',
    ' ',
    '  ',
    '/',
    '/mon/status',
    '/mon/version',
    '/things/a',
    '/things/%zz',
    '/things/%00',
    '/things/../x',
    '//',
    '*',
    'http://evil.example/',
    '?a=1&a=2',
    '?__proto__=1',
    '?a[b]=c',
    '?%zz',
    '#',
    ' HTTP/1.1',
    ' HTTP/1.0',
    ' HTTP/2.0',
    '\r\n',
    '\n',
    '\r',
    ':',
    'Host: x\r\n',
    'Host: a\r\nHost: b\r\n',
    `X_AUTH_HEADER: ${HASH}\r\n`,
    'X_AUTH_HEADER: \r\n',
    'Content-Length: 5\r\n',
    'Content-Length: x\r\n',
    'Expect: 100-continue\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip\r\n',
    'Content-Encoding: br\r\n',
    'Connection: close\r\n',
    'Upgrade: websocket\r\n',
    'Connection: Upgrade\r\n',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
    'ffffffffffffffffff\r\n',
    '\0',
    '\u00ff',
  ),
  fc.string({ maxLength: 20 }),
);

describe('what comes in at the port', () => {
  it('is answered as CDS would, or not at all, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 25 }), async (pieces) => {
        expectWellMannered(await tell(Buffer.from(pieces.join(''), 'latin1'), 'and hang up'));
      }),
      fuzzRuns(300),
    );
    const request = 'GET /mon/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect(await tell(Buffer.from(request), 'and wait')).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('is answered as CDS would when it is nearly a request', async () => {
    const part = (...texts: string[]) => fc.constantFrom(...texts);
    const query = fc.oneof(
      part('', '?', '?a=b', '?a=%zz', '?__proto__[polluted]=1', '?constructor=1', '?a=1&a=2'),
      fc.webQueryParameters().map((text) => `?${text}`),
    );
    const type = part('', 'Content-Type: text/plain\r\n', 'Content-Encoding: gzip\r\n');
    const valid = { name: BODY, list: [1, 2] };
    const requests = fc.record({ query, type, body: hostileBytes(fc, hostileJson(fc, valid)) });
    await fc.assert(
      fc.asyncProperty(requests, async ({ query, type, body }) => {
        const head = `POST /things/a${query.replaceAll(' ', '+')} HTTP/1.1\r\nHost: x\r\nX_AUTH_HEADER: ${HASH}\r\nConnection: close\r\n${type}Content-Length: ${body.length}\r\n\r\n`;
        const bytes = Buffer.concat([Buffer.from(head), body]);
        const answer = await tell(bytes, 'and wait');
        expect(answer).not.toBe('');
        expectWellMannered(answer);
        expect((await tell(bytes, 'and wait')).slice(0, 12)).toBe(answer.slice(0, 12));
      }),
      fuzzRuns(300),
    );
  });

  it('has left no trace in the log, nor in any object', () => {
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    const log = JSON.stringify(lines);
    expect(log).not.toContain(HASH);
    expect(log).not.toContain(BODY);
  });
});

describe('readJson', () => {
  it('gives what the schema takes, or a CdsError that does not quote the body', () => {
    const bodies = hostileBytes(fc, hostileJson(fc, { name: BODY, list: [1] }));
    fc.assert(
      fc.property(bodies, (body) => {
        try {
          expect(readJson({ body } as Request, schema)).toHaveProperty('name');
        } catch (error) {
          expect(error).toBeInstanceOf(CdsError);
          expect(String((error as Error).stack)).not.toContain(BODY);
          expect((error as Error).message.length).toBeLessThan(2_100);
        }
      }),
      fuzzRuns(1_000),
    );
  });
});
