import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A listening HTTP server of a stand-in. */
export interface Listener {
  port: number;
  /** `http://host:port`, as it is reached from this machine. */
  url: string;
  /** Stops listening and cuts every connection. Closing twice does nothing. */
  close(): Promise<void>;
}

/** Starts `app` on `host:port`; port 0 takes a free one. Rejects when the port is taken. */
export async function listenOn(
  app: RequestListener,
  { host, port }: { host: string; port: number },
): Promise<Listener> {
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const taken = (server.address() as AddressInfo).port;
  const name = host === '0.0.0.0' ? '127.0.0.1' : host;
  return { port: taken, url: `http://${name}:${taken}`, close: () => close(server) };
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
