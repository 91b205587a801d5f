import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ServiceRegistration } from '@cds/wire';

export type Mood = 'well' | 'refuses the token' | 'in maintenance' | 'broken' | 'silent';

export interface ApiStandIn {
  url: string;
  port: number;
  mood: Mood;
  hash: string;
  /** Its own, to which it compares that of each registration. */
  version: string;
  /** Calls every service out of date, whatever it says. */
  neverUpToDate: boolean;
  /** The bodies of all registrations, refused ones too. */
  registrations: ServiceRegistration[];
  stop(): Promise<void>;
}

const REFUSALS: Record<Exclude<Mood, 'well' | 'silent'>, [number, number, string]> = {
  'refuses the token': [401, 10, 'not authenticated (from: Cannot register service)'],
  'in maintenance': [503, 1, 'service unavailable'],
  broken: [500, 1, 'internal server error'],
};

/** A CDS API that knows `POST /services/register`, and how to be in a bad mood. */
export async function startApi(port = 0): Promise<ApiStandIn> {
  const api: Omit<ApiStandIn, 'url' | 'port' | 'stop'> = {
    mood: 'well',
    hash: 'b7e9cd5f-4454-441f-84a2-a3abbe45700f',
    version: 'snapshot',
    neverUpToDate: false,
    registrations: [],
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      if (req.method === 'GET' && req.url === '/mon/version') {
        res.end(JSON.stringify({ version: api.version }));
        return;
      }
      if (req.method !== 'POST' || req.url !== '/services/register') throw new Error('wrong route');
      const body = JSON.parse(Buffer.concat(chunks).toString()) as ServiceRegistration;
      api.registrations.push(body);
      if (api.mood === 'silent') return;
      res.setHeader('content-type', 'application/json');
      if (api.mood === 'well') {
        const upToDate = body.version === api.version && !api.neverUpToDate;
        const answer = { ...body, id: 3, hash: api.hash, token: '', up_to_date: upToDate };
        res.end(JSON.stringify(answer));
        return;
      }
      const [status, id, message] = REFUSALS[api.mood];
      res.statusCode = status;
      res.end(JSON.stringify({ id, message, data: null, uuid: 'u' }));
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const taken = (server.address() as AddressInfo).port;
  return Object.assign(api, {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    stop: () => stop(server),
  });
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** Everything that the other side sent until it closed. */
export async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
