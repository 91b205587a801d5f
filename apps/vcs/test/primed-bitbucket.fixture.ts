import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request, type Response } from 'express';
import type { Recorded } from './recorded-bitbucket.fixture';
import type { Json } from './replay.fixture';

/** What every archive holds. */
export const ARCHIVED = ['.cds/worker-models/m.yml', '.cds/workflows/w.yml'];

/**
 * A Bitbucket for recordings of a `vcs` that asked none: it holds what the recorded answer says,
 * and no more, in Bitbucket's form.
 */
export async function startPrimedBitbucket() {
  let recorded: Recorded['response'] = { status: 200, headers: {}, body: null };
  const unknown: string[] = [];
  const items = () => [recorded.body ?? []].flat() as Json[];
  const app = express();
  app.set('query parser', 'simple');
  app.use(express.json());

  app.get('/2.0/user/workspaces', (_, res) => {
    const slugs = new Set(items().map(({ fullname }) => String(fullname).split('/')[0]));
    res.json({ values: [...slugs].map((slug) => ({ workspace: { slug, uuid: `{${slug}}` } })) });
  });
  app.get('/2.0/repositories/:ws', (req, res) => {
    const mine = items().filter(({ fullname }) => String(fullname).startsWith(`${req.params.ws}/`));
    res.json({ values: mine.map(repositoryJson) });
  });
  const base = '/2.0/repositories/:ws/:slug';
  app.get(base, (req, res) => {
    const [first] = items();
    if (first && 'fullname' in first) return void res.json(repositoryJson(first));
    // A route about something else: the repository is there.
    if (recorded.status === 404 && !unlisted.has('repository')) return void notFound(res);
    res.json({ full_name: `${req.params.ws}/${req.params.slug}`, mainbranch: { name: 'main' } });
  });
  app.get(`${base}/refs/branches`, (_, res) => void res.json({ values: items().map(refJson) }));
  app.get(`${base}/refs/branches/:name`, answerOne(refJson));
  app.get(`${base}/refs/tags`, (_, res) => void res.json({ values: items().map(tagJson) }));
  app.get(`${base}/refs/tags/:name`, answerOne(tagJson));
  app.get(`${base}/commit/:hash`, (req, res) => {
    const [first] = items();
    const isCommit = first !== undefined && 'authorTimestamp' in first;
    res.json(isCommit ? commitJson(first) : { hash: req.params.hash });
  });
  app.get(`${base}/commit/:hash/statuses`, (_, res) => void res.json({ values: [] }));
  app.post(`${base}/commit/:hash/statuses/build`, (req, res) => {
    res.status(201).json(req.body);
  });
  app.put(`${base}/commit/:hash/reports/:id`, (req, res) => {
    if (recorded.status === 404) notFound(res);
    else res.json(req.body);
  });
  // For the repair of webhooks, of which there are none.
  app.get(`${base}/hooks`, (_, res) => void res.json({ values: [] }));
  app.get(`${base}/src/:hash/*path`, (req, res) => {
    if (recorded.status === 404) return void notFound(res);
    const path = (req.params as unknown as { path: string[] }).path.join('/');
    if (path.endsWith('.yml')) return void res.send(`name: ${path}\n`);
    if (Array.isArray(recorded.body)) return void res.json({ values: items().map(entryJson) });
    const directories = ['.cds/worker-models', '.cds/workflows'];
    res.json({
      values: [
        ...directories.map((directory) => ({ type: 'commit_directory', path: directory })),
        ...ARCHIVED.map((file) => ({ type: 'commit_file', path: file, size: 40, attributes: [] })),
      ],
    });
  });
  app.use((req, res) => {
    unknown.push(`${req.method} ${req.path}`);
    notFound(res);
  });

  const unlisted = new Set<string>();
  function answerOne(toJson: (one: Json) => Json) {
    return (_: Request, res: Response) => {
      const [first] = items();
      if (recorded.status === 404 || !first) notFound(res);
      else res.json(toJson(first));
    };
  }

  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    apiUrl: `${url}/2.0`,
    unknown,
    /** Makes it hold what this answer says. */
    prime({ request, response }: Recorded): void {
      recorded = response;
      unlisted.clear();
      if (!/\/repos\/[^/]+\/[^/?]+$/.test(request.url)) unlisted.add('repository');
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function notFound(res: Response): void {
  res.status(404).json({ type: 'error', error: { message: 'Resource not found' } });
}

function repositoryJson(repo: Json): Json {
  return {
    uuid: repo['id'],
    name: repo['name'],
    full_name: repo['fullname'],
    mainbranch: { name: 'main' },
    links: {
      html: { href: repo['url'] },
      clone: [
        { name: 'ssh', href: repo['ssh_url'] },
        { name: 'https', href: repo['http_url'] },
      ],
    },
  };
}

function refJson(branch: Json): Json {
  const parents = (branch['parents'] as string[]).map((hash) => ({ hash }));
  return {
    type: 'branch',
    name: branch['display_id'],
    target: { hash: branch['latest_commit'], parents },
  };
}

function tagJson(tag: Json): Json {
  const { tag: name, message, hash } = tag;
  return { type: 'tag', name, message: message || null, target: { hash } };
}

function commitJson(commit: Json): Json {
  const author = commit['author'] as Json;
  return {
    hash: commit['id'],
    date: new Date(Number(commit['authorTimestamp'])).toISOString(),
    message: commit['message'],
    author: { raw: `<${String(author['emailAddress'])}>` },
    links: { html: { href: commit['url'] } },
  };
}

function entryJson(entry: Json): Json {
  const name = String(entry['Name'] ?? entry['name']);
  const type = (entry['IsDirectory'] ?? entry['is_directory']) ? 'commit_directory' : 'commit_file';
  return { type, path: `.cds/${name}` };
}
