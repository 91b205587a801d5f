import type { HooksConfig } from '@cds/config';
import { type HttpServer, listen, type Logger } from '@cds/service';
import type { RequestListener } from 'node:http';
import type { Server } from 'node:net';
import type { MainProcess } from './worker-processes/follow-main-process';

export interface HooksServer extends HttpServer {
  publicPort?: number;
  publicShared?: Server;
}

/** No known caller sends more than some KiB. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Bitbucket sends ten headers, proxies add some. */
const MAX_HEADERS = 200;

/**
 * Listens for all routes and, if configured, on a port of its own for webhooks alone.
 *
 * @throws Error that names the configuration key to change; nothing listens then
 */
export async function listenAll(options: {
  config: HooksConfig['http'];
  logger: Logger;
  everything: RequestListener;
  webhooks: RequestListener;
  /** In a worker process: where the main process listens. */
  serverOf?: MainProcess['server'] | undefined;
}): Promise<HooksServer> {
  const { config, logger, everything, webhooks, serverOf } = options;
  const common = {
    logger,
    maxHeaderBytes: MAX_HEADER_BYTES,
    maxHeaders: MAX_HEADERS,
    closeAfterLongHeaders: true,
    servers: config.public ? 2 : 1,
  };
  const main = await listen(everything, {
    ...{ ...common, addr: config.addr, port: config.port },
    shared: await serverOf?.('main'),
  });
  if (!config.public) return main;
  try {
    const publicServer = await listen(webhooks, {
      ...common,
      ...config.public,
      shared: await serverOf?.('public'),
      keys: { port: 'http.publicPort', addr: 'http.publicAddr' },
    });
    return {
      port: main.port,
      shared: main.shared,
      publicPort: publicServer.port,
      publicShared: publicServer.shared,
      close: async (deadlineMs) => {
        await Promise.all([main.close(deadlineMs), publicServer.close(deadlineMs)]);
      },
    };
  } catch (error) {
    await main.close(0);
    throw error;
  }
}
