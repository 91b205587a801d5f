import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request, type Response } from 'express';

export interface Recorded {
  from: string;
  request: { method: string; url: string; headers: Record<string, string>; body: unknown };
  response: { status: number; headers: Record<string, string>; body: unknown };
}

type Json = Record<string, unknown>;

/**
 * Bitbucket as it was recorded, behind the calls of today: what is recorded of a path is answered
 * to that path, in turn, the last answer again and again. Only what the 2019 service did not ask
 * for is made up, from what is recorded.
 */
export async function startRecordedBitbucket(recording: Recorded[]) {
  const recordings = new Map<string, Recorded['response'][]>();
  for (const { request, response } of recording) {
    const { pathname } = new URL(request.url, 'http://x');
    const key = `${request.method} ${decodeURIComponent(pathname).replace(/\/$/, '')}`;
    recordings.set(key, [...(recordings.get(key) ?? []), response]);
  }
  const hooks: Json[] = [];
  const unknown: string[] = [];

  const app = express();
  app.use(express.json());
  app.post('/site/oauth2/access_token', replay('POST /site/oauth2/access_token'));
  // All workspaces were listed at once then.
  app.get('/2.0/user/workspaces', (_, res) => {
    const listed = recordings.get('GET /2.0/workspaces')?.find(({ status }) => status === 200);
    const { values } = (listed?.body ?? { values: [{ slug: 'jdoe' }] }) as { values: Json[] };
    res.json({
      values: values.map(({ slug }) => ({
        type: 'workspace_access',
        workspace: { slug, uuid: `{${String(slug)}}` },
      })),
    });
  });

  const base = '/2.0/repositories/:ws/:slug';
  // A list of commits was asked for by a path then, by a query now.
  app.get(`${base}/commits`, (req, res) => {
    const at = `GET ${repoPath(req)}/commits`;
    const included = recordings.get(`${at}/${String(req.query['include'])}`);
    const [answer] = included ?? recordings.get(`${at}/bbb`) ?? [];
    // One page of it is recorded.
    res.json({ ...(answer?.body as Json), next: undefined });
  });
  app.get(`${base}/commit/:hash`, (req, res, next) => {
    if (String(req.params.hash).length === 40) return next();
    // A fork has the commits of its parent.
    const lists = [...recordings].filter(([key]) => key.endsWith('/refs/branches'));
    const targets = lists.flatMap(([, answers]) =>
      (
        (answers[0]?.body ?? { values: [] }) as { values: { target: Json & { hash: string } }[] }
      ).values.map(({ target }) => target),
    );
    res.json(targets.find(({ hash }) => hash.startsWith(String(req.params.hash))));
  });
  app.get(`${base}/hooks`, (_, res) => void res.json({ values: hooks }));
  app.post(`${base}/hooks`, (req, res) => {
    const created = recordings.get(`POST ${repoPath(req)}/hooks`) ?? [];
    const hook = created.find(({ body }) => (body as Json).url === (req.body as Json).url);
    const body = (hook?.body ?? { uuid: `{${randomUUID()}}`, ...req.body }) as Json;
    hooks.push(body);
    res.status(201).json(body);
  });
  // Webhooks of ours are repaired; nobody did that then.
  app.put(`${base}/hooks/:uid`, (req, res) => {
    const hook = hooks.find(({ uuid }) => uuid === req.params.uid);
    res.json(Object.assign(hook ?? {}, req.body));
  });
  app.delete(`${base}/hooks/:uid`, (req, res) => {
    hooks.splice(
      hooks.findIndex((hook) => hook.uuid === req.params.uid),
      1,
    );
    res.status(204).end();
  });
  app.use((req, res) => {
    const path = decodeURIComponent(req.path);
    if (recordings.has(`${req.method} ${path}`)) replay(`${req.method} ${path}`)(req, res);
    else {
      unknown.push(`${req.method} ${path}`);
      res.status(404).json({ type: 'error', error: { message: `not recorded: ${path}` } });
    }
  });

  function replay(key: string) {
    return (_: Request, res: Response) => {
      const left = recordings.get(key) ?? [];
      const answer = left.length > 1 ? left.shift() : left[0];
      res.status(answer?.status ?? 500).json(answer?.body);
    };
  }

  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    apiUrl: `${url}/2.0`,
    oauthUrl: `${url}/site/oauth2`,
    /** What was asked for and is not recorded. */
    unknown,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function repoPath(req: Request): string {
  return `/2.0/repositories/${req.params.ws}/${req.params.slug}`;
}
