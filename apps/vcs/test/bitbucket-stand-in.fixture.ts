import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response } from 'express';
import { newOAuthStandIn, type OAuthStandIn } from './oauth-stand-in.fixture';
import { repositoriesStandIn } from './repositories-stand-in.fixture';
import type { StandInRepository } from './stand-in-data.fixture';

export interface SeenRequest {
  method: string;
  /** Decoded, without the query. */
  path: string;
  query: URLSearchParams;
  body: unknown;
  token: string | undefined;
}

/** What the stand-in answers instead of its own answer. */
export interface Disturbance {
  method?: string;
  /** Tested against the path, still encoded. */
  path: RegExp;
  status: number;
  headers?: Record<string, string> | undefined;
  body?: unknown;
  /** How many requests; default 1. */
  times?: number;
  /** Milliseconds before it. */
  delayMs?: number;
}

/** A strict little Bitbucket Cloud for the specs of `vcs`, with real HTTP. */
export interface BitbucketStandIn {
  apiUrl: string;
  oauthUrl: string;
  oauth: OAuthStandIn;
  repositories: StandInRepository[];
  /** Requests to the API below `/2.0`, in order. */
  requests: SeenRequest[];
  disturb(disturbance: Disturbance): void;
  /** Ends all disturbances. */
  calm(): void;
  /** Milliseconds before each answer of the API. */
  latencyMs: number;
  close(): Promise<void>;
}

export async function startBitbucketStandIn(): Promise<BitbucketStandIn> {
  const oauth = newOAuthStandIn();
  const repositories: StandInRepository[] = [];
  const requests: SeenRequest[] = [];
  const disturbances: (Disturbance & { times: number })[] = [];

  const app = express();
  app.set('query parser', 'simple');
  app.disable('x-powered-by');
  app.use('/site/oauth2', oauth.router);
  app.use('/2.0', express.json());
  app.use('/2.0', (req, res, next) => {
    const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1];
    requests.push({
      method: req.method,
      path: decodeURIComponent(req.path),
      query: new URL(req.originalUrl, 'http://x').searchParams,
      body: req.body,
      token,
    });
    const waiting = setTimeout(() => answer(req, res, next, token), standIn.latencyMs);
    res.once('close', () => clearTimeout(waiting));
  });

  function answer(req: Request, res: Response, next: NextFunction, token: string | undefined) {
    const disturbance = disturbances.find(
      (one) =>
        (one.method ?? req.method) === req.method && one.path.test(req.path) && one.times > 0,
    );
    if (disturbance) {
      disturbance.times -= 1;
      const delay = setTimeout(() => disturbed(res, disturbance), disturbance.delayMs ?? 0);
      res.once('close', () => clearTimeout(delay));
      return;
    }
    const refusal = oauth.refusalOf(token);
    if (refusal) res.status(401).json({ type: 'error', error: { message: refusal } });
    else next();
  }

  function disturbed(res: Response, { status, headers = {}, body = {} }: Disturbance) {
    res.status(status).set(headers);
    if (typeof body === 'string') res.type('text/plain').send(body);
    else res.json(body);
  }

  app.use('/2.0', repositoriesStandIn(repositories));
  // What is gone since 2026, or never was.
  app.use((req, res) => {
    const gone = /^\/2\.0\/(repositories|workspaces|teams|users)\/?$/.test(req.path);
    res
      .status(gone ? 410 : 404)
      .json({ type: 'error', error: { message: gone ? 'CHANGE-2770' : `No ${req.path}` } });
  });

  const server = createServer({ maxHeaderSize: 64 * 1024 }, app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const standIn: BitbucketStandIn = {
    apiUrl: `${base}/2.0`,
    oauthUrl: `${base}/site/oauth2`,
    oauth,
    repositories,
    requests,
    disturb: (disturbance) => void disturbances.push({ times: 1, ...disturbance }),
    calm: () => void disturbances.splice(0),
    latencyMs: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return standIn;
}
