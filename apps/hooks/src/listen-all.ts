import type { HooksConfig } from '@cds/config';
import { type HttpServer, listen, type Logger } from '@cds/service';
import type { RequestListener } from 'node:http';

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
}): Promise<HttpServer & { publicPort?: number }> {
  const { config, logger, everything, webhooks } = options;
  const common = {
    logger,
    maxHeaderBytes: MAX_HEADER_BYTES,
    maxHeaders: MAX_HEADERS,
    closeAfterLongHeaders: true,
    servers: config.public ? 2 : 1,
  };
  const main = await listen(everything, { ...common, addr: config.addr, port: config.port });
  if (!config.public) return main;
  try {
    const publicServer = await listen(webhooks, {
      ...common,
      ...config.public,
      keys: { port: 'http.publicPort', addr: 'http.publicAddr' },
    });
    return {
      port: main.port,
      publicPort: publicServer.port,
      close: async (deadlineMs) => {
        await Promise.all([main.close(deadlineMs), publicServer.close(deadlineMs)]);
      },
    };
  } catch (error) {
    await main.close(0);
    throw error;
  }
}
