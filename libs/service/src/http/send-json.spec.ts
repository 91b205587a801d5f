import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { CdsError } from '@cds/wire';
import express from 'express';
import { captureLogger, waitFor } from '@cds/testing';
import { handle, sendJsonList } from '../index';
import { createErrorMiddleware } from './create-error-middleware';

let server: Server;
let lines: Record<string, unknown>[];
/** What the route lists, and whether it was let go of. */
let parts: () => AsyncGenerator<unknown[]>;
let given: number;
let isOver: boolean;

beforeEach(async () => {
  given = 0;
  isOver = false;
  const captured = captureLogger();
  lines = captured.lines;
  const app = express();
  async function* counted(): AsyncGenerator<unknown[]> {
    try {
      for await (const part of parts()) {
        given += 1;
        yield part;
      }
    } finally {
      isOver = true;
    }
  }
  app.get(
    '/',
    handle((_request, response) => sendJsonList(response, counted())),
  );
  app.use(createErrorMiddleware(captured.logger));
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const port = (): number => (server.address() as AddressInfo).port;
const get = (): Promise<Response> => fetch(`http://127.0.0.1:${port()}/`);

describe('sendJsonList', () => {
  it.each([[[]], [[[]]], [[[1]]], [[[], [1, 'a'], [], [{ b: [null] }], []]]])(
    'answers the parts %j as one array',
    async (all: unknown[][]) => {
      parts = async function* () {
        yield* all;
      };
      const response = await get();
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(await response.json()).toEqual(all.flat());
    },
  );

  it('answers an error that comes before the first part as any other', async () => {
    // oxlint-disable-next-line require-yield
    parts = async function* () {
      throw new CdsError('unavailable', { from: 'no Redis' });
    };
    const response = await get();
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining('no Redis') });
  });

  it('breaks off when an error comes later, so that what came is not taken for all', async () => {
    parts = async function* () {
      yield [1];
      throw new CdsError('unavailable', { from: 'no Redis' });
    };
    const response = await get();
    await expect(response.text()).rejects.toThrow();
    await waitFor(() => lines.length > 0, { what: 'the error to be logged' });
    expect(lines).toMatchObject([{ level: 40, status: 503 }]);
  });

  it('asks for no more than somebody reads, and lets go when he goes', async () => {
    const part = ['x'.repeat(1024 * 1024)];
    parts = async function* () {
      for (let n = 0; n < 100; n += 1) yield part;
    };
    const socket = connect(port(), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.pause();
    let before = 0;
    let looks = 0;
    // Whatever fits between the two has been given when nothing more is asked for.
    await waitFor(
      () => {
        looks = given > 0 && given === before ? looks + 1 : 0;
        before = given;
        return looks >= 10;
      },
      { what: 'the buffers to be full' },
    );
    expect(given).toBeLessThan(50);
    socket.destroy();
    await waitFor(() => isOver, { what: 'the parts to be let go of' });
    expect(lines).toEqual([]);
  });
});
