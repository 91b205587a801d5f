import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { waitFor } from '@cds/testing';
import { PER_TURN, paceConnections } from './pace-connections';

const CONNECTIONS = 100;
const MOST = 60;
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

describe('connections that are opened at once', () => {
  let server: Server;
  let clients: Socket[];
  let served: number;
  /** `accepted` or `begins`, in their order; `turn` ends a turn of the event loop. */
  let events: string[];
  let stays: (socket: Socket) => boolean;
  let paced: ReturnType<typeof paceConnections>;

  beforeEach(async () => {
    served = 0;
    events = [];
    clients = [];
    stays = () => true;
    server = createServer((_request, response) => {
      served += 1;
      response.end();
    });
    paced = paceConnections(server, {
      most: MOST,
      acceptMs: 600_000,
      accepted(socket) {
        events.push('accepted');
        return stays(socket);
      },
      begins: () => void events.push('begins'),
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  function openAll(): void {
    const { port } = server.address() as AddressInfo;
    clients = Array.from({ length: CONNECTIONS }, () =>
      connect(port, '127.0.0.1')
        .on('error', () => undefined)
        .resume(),
    );
    for (const client of clients) client.write(GET);
  }

  const count = (event: string, among = events): number =>
    among.filter((one) => one === event).length;

  it('are accepted before the first of them is read, up to a number', async () => {
    openAll();
    await waitFor(() => served === CONNECTIONS, { what: 'all to be served' });
    expect(events.indexOf('begins')).toBe(MOST);
    expect(count('accepted')).toBe(CONNECTIONS);
  });

  it('begin in turns, so that others are answered between them', async () => {
    openAll();
    const each = (): void => {
      events.push('turn');
      if (served < CONNECTIONS) setImmediate(each);
    };
    setImmediate(each);
    await waitFor(() => served === CONNECTIONS, { what: 'all to be served' });
    const turns = events.join(' ').split('turn');
    const begun = turns.map((turn) => count('begins', turn.trim().split(' ')));
    expect(Math.max(...begun)).toBe(PER_TURN);
  });

  it('are not read when they may not stay, or were cut while they waited', async () => {
    let seen = 0;
    const cut: (Socket | undefined)[] = [];
    stays = (socket) => {
      seen += 1;
      if (seen === 3) cut.push(paced.takeLongest()?.destroy());
      if (seen === 5) socket.destroy();
      return seen !== 5;
    };
    openAll();
    await waitFor(() => served === CONNECTIONS - 2, { what: 'the others to be served' });
    expect(count('begins')).toBe(CONNECTIONS - 2);
    expect(cut).toEqual([expect.objectContaining({ destroyed: true })]);
    expect(paced.size).toBe(0);
  });
});
