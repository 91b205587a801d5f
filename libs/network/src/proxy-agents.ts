import {
  Agent as HttpAgent,
  type AgentOptions as HttpAgentOptions,
  type ClientRequest,
  type ClientRequestArgs,
  request as httpRequest,
} from 'node:http';
import {
  Agent as HttpsAgent,
  type AgentOptions as HttpsAgentOptions,
  request as httpsRequest,
  type RequestOptions,
} from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ProxyServer } from './proxy-settings';

/** For the proxy's answer to CONNECT, which comes when it has connected itself. */
const CONNECT_TIMEOUT_MS = 15_000;

/** A proxy was not reached, or did not connect: nothing was sent to the server behind it. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code = 'EPROXY';
  /** For `isNeverSent`. */
  readonly neverSent = true;
}

type Callback = (error: Error | null, stream: Duplex) => void;

/**
 * Calls https URLs through a proxy by CONNECT. A refusal of the proxy is an error: libraries hand
 * it over as an answer, and its 404 would be taken for the server's.
 */
export class TunnelAgent extends HttpsAgent {
  constructor(
    private readonly proxy: ProxyServer,
    options?: HttpsAgentOptions,
  ) {
    super(options);
  }

  override createConnection(options: RequestOptions, callback?: Callback): undefined {
    const { proxy } = this;
    const done = callback ?? (() => undefined);
    const fail = (reason: string): void =>
      (done as (error: Error) => void)(
        new ProxyError(`the proxy ${proxy.name} (${proxy.variable}) ${reason}`),
      );
    const host = options.host ?? '';
    const target = `${isIP(host) === 6 ? `[${host}]` : host}:${options.port ?? 443}`;
    const connecting = (proxy.isTls ? httpsRequest : httpRequest)({
      ...{ host: proxy.host, port: proxy.port, method: 'CONNECT', path: target, agent: false },
      timeout: CONNECT_TIMEOUT_MS,
      headers: {
        Host: target,
        ...(proxy.authorization === undefined
          ? {}
          : { 'Proxy-Authorization': proxy.authorization }),
      },
    });
    connecting.once('timeout', () => connecting.destroy(new Error('no answer in time')));
    connecting.once('error', (error: NodeJS.ErrnoException) =>
      fail(`cannot be reached: ${error.code ?? error.message}`),
    );
    connecting.once('connect', ({ statusCode = 0 }, socket, head) => {
      socket.setTimeout(0);
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        return fail(`${whyRefused(statusCode)} to connect to ${target}`);
      }
      if (head.length > 0) socket.unshift(head);
      done(null, super.createConnection({ ...options, socket } as RequestOptions) as Duplex);
    });
    connecting.end();
    return undefined;
  }
}

function whyRefused(status: number): string {
  return status === 407 ? 'wants another user or password (407)' : `refuses (${status})`;
}

/** Not documented, and what every proxy agent for Node builds on. */
const { addRequest } = HttpAgent.prototype as unknown as {
  addRequest(this: HttpAgent, request: ClientRequest, options: ClientRequestArgs): void;
};

/** Calls http URLs through a proxy, which is given the whole URL. */
export class ForwardingAgent extends HttpAgent {
  constructor(
    private readonly proxy: ProxyServer,
    options?: HttpAgentOptions,
  ) {
    super(options);
  }

  /** Asked for each request, before anything of it is written. */
  addRequest(request: ClientRequest, options: ClientRequestArgs): void {
    const { host, port, authorization } = this.proxy;
    const path = request.path.startsWith('/') ? request.path : `/${request.path}`;
    request.path = `http://${String(request.getHeader('host'))}${path}`;
    if (authorization !== undefined) request.setHeader('Proxy-Authorization', authorization);
    addRequest.call(this, request, { ...options, host, port });
  }

  override createConnection(options: ClientRequestArgs, callback?: Callback) {
    if (!this.proxy.isTls) return super.createConnection(options, callback);
    const { host, port } = this.proxy;
    return connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) });
  }
}
