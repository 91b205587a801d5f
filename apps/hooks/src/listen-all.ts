import type { HooksConfig } from '@cds/config';
import { type HttpServer, listen, type Logger } from '@cds/service';
import type { RequestListener } from 'node:http';

/** Strangers call this service, and nobody who calls it has to send more than some KiB. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Bitbucket sends ten, proxies add some more. */
const MAX_HEADERS = 200;

export interface HooksServer extends HttpServer {
  /** Of the listener that serves webhooks alone, where there is one. */
  publicPort?: number;
}

/**
 * Listens where everything is served and, where that is configured, where webhooks alone are.
 *
 * @throws Error saying which key of the configuration to change; nothing listens then
 */
export async function listenAll(options: {
  config: HooksConfig['http'];
  logger: Logger;
  everything: RequestListener;
  webhooks: RequestListener;
}): Promise<HooksServer> {
  const { config, logger, everything, webhooks } = options;
  const common = {
    logger,
    ...{ maxHeaderBytes: MAX_HEADER_BYTES, maxHeaders: MAX_HEADERS },
    closeAfterLongHeaders: true,
    servers: config.public ? 2 : 1,
  };
  const main = await listen(everything, { ...common, addr: config.addr, port: config.port });
  if (!config.public) return main;
  try {
    const forStrangers = await listen(webhooks, {
      ...{
        ...common,
        ...config.public,
        keys: { port: 'http.publicPort', addr: 'http.publicAddr' },
      },
    });
    return {
      port: main.port,
      publicPort: forStrangers.port,
      close: async (deadlineMs) => {
        await Promise.all([main.close(deadlineMs), forStrangers.close(deadlineMs)]);
      },
    };
  } catch (error) {
    await main.close(0);
    throw error;
  }
}
