import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response } from 'express';
import { newOAuthStandIn, type OAuthStandIn } from './oauth-stand-in.fixture';
import { repositoriesStandIn } from './repositories-stand-in.fixture';
import { sourceStandIn } from './source-stand-in.fixture';
import type { StandInRepository } from './stand-in-data.fixture';

export interface SeenRequest {
  method: string;
  /** Decoded, without the query. */
  path: string;
  query: URLSearchParams;
  body: unknown;
  token: string | undefined;
  /** The user of Basic; undefined with Bearer. */
  user: string | undefined;
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
  /** API tokens and whose they are: the only Basic that there is. */
  apiTokens: Map<string, string>;
  /** Access tokens of workspaces, projects and repositories: Bearer, of no user. */
  accessTokens: Set<string>;
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
    const { user, token } = authorizationOf(req);
    requests.push({
      method: req.method,
      path: decodeURIComponent(req.path),
      query: new URL(req.originalUrl, 'http://x').searchParams,
      ...{ body: req.body as unknown, token, user },
    });
    const waiting = setTimeout(() => answer(req, res, next), standIn.latencyMs);
    res.once('close', () => clearTimeout(waiting));
  });

  function refusalOf(req: Request): string | undefined {
    const { user, token = '' } = authorizationOf(req);
    if (user !== undefined) return standIn.apiTokens.get(token) === user ? undefined : NO_TOKEN;
    if (!standIn.accessTokens.has(token)) return oauth.refusalOf(token);
    return req.path.startsWith('/user') ? NO_TOKEN : undefined;
  }

  function answer(req: Request, res: Response, next: NextFunction) {
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
    const refusal = refusalOf(req);
    if (refusal) res.status(401).json({ type: 'error', error: { message: refusal } });
    else next();
  }

  function disturbed(res: Response, { status, headers = {}, body = {} }: Disturbance) {
    res.status(status).set(headers);
    if (typeof body === 'string') res.type('text/plain').send(body);
    else res.json(body);
  }

  app.use('/2.0', sourceStandIn(repositories), repositoriesStandIn(repositories));
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
    apiTokens: new Map(),
    accessTokens: new Set(),
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

const NO_TOKEN = 'Token is invalid, expired, or not supported for this endpoint.';

function authorizationOf(req: Request): { user: string | undefined; token: string | undefined } {
  const [, scheme, value = ''] =
    /^(Bearer|Basic) (.+)$/.exec(req.headers.authorization ?? '') ?? [];
  if (scheme !== 'Basic') return { user: undefined, token: scheme && value };
  const [user = '', ...token] = Buffer.from(value, 'base64').toString('utf8').split(':');
  return { user, token: token.join(':') };
}
