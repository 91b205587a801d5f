import { randomUUID } from 'node:crypto';
import express, { type Request, type Router } from 'express';
import { answerRefused, page, Refused, requireLength } from './stand-in-http.fixture';
import { findCommit, type StandInCommit, type StandInRepository } from './stand-in-data.fixture';
import {
  commitJson,
  hookJson,
  pullRequestJson,
  refJson,
  repositoryJson,
  tagJson,
} from './stand-in-json.fixture';

const STATES = ['SUCCESSFUL', 'FAILED', 'INPROGRESS', 'STOPPED'];

/**
 * The part of Bitbucket's REST API that `vcs` needs, below `/2.0`, as strict as Bitbucket about
 * sizes and forms.
 */
export function repositoriesStandIn(repositories: StandInRepository[]): Router {
  const router = express.Router({ strict: true, caseSensitive: true });

  function repoOf(req: Request): StandInRepository {
    const { ws, slug } = req.params;
    const found = repositories.find((one) => one.workspace === ws && one.slug === slug);
    if (!found) throw new Refused(404, `Repository ${ws}/${slug} not found`);
    return found;
  }

  function commitOf(req: Request, repo: StandInRepository): StandInCommit {
    const commit = findCommit(repo, String(req.params.commit));
    if (!commit) throw new Refused(404, 'Resource not found');
    return commit;
  }

  router.get('/user/workspaces', (req, res) => {
    const slugs = [...new Set(repositories.map((one) => one.workspace))];
    const values = slugs.map((slug) => ({
      type: 'workspace_access',
      administrator: false,
      workspace: { type: 'workspace_base', slug, uuid: `{${slug}}` },
    }));
    page(req, res, values, 100);
  });
  router.get('/repositories/:ws', (req, res) => {
    const mine = repositories.filter((one) => one.workspace === req.params.ws);
    page(req, res, mine.map(repositoryJson), 100);
  });
  const base = '/repositories/:ws/:slug';
  router.get(base, (req, res) => void res.json(repositoryJson(repoOf(req))));
  router.get(`${base}/forks`, (req, res) =>
    page(req, res, repoOf(req).forks.map(repositoryJson), 100),
  );

  router.get(`${base}/refs`, (req, res) => {
    const repo = repoOf(req);
    const branches = [...repo.branches].map(([name, hash]) => refJson(repo, 'branch', name, hash));
    const tags = repo.tags.map((tag) => tagJson(repo, tag));
    page(req, res, [...branches, ...tags], 100);
  });
  router.get(`${base}/refs/branches`, (req, res) => {
    const repo = repoOf(req);
    const values = [...repo.branches].map(([name, hash]) => refJson(repo, 'branch', name, hash));
    page(req, res, values, 100);
  });
  router.get(`${base}/refs/branches/:branch`, (req, res) => {
    const repo = repoOf(req);
    const hash = repo.branches.get(req.params.branch);
    if (hash === undefined) throw new Refused(404, 'Branch not found');
    res.json(refJson(repo, 'branch', req.params.branch, hash));
  });
  router.get(`${base}/refs/tags`, (req, res) => {
    const repo = repoOf(req);
    page(
      req,
      res,
      repo.tags.map((tag) => tagJson(repo, tag)),
      100,
    );
  });
  router.get(`${base}/refs/tags/:tag`, (req, res) => {
    const repo = repoOf(req);
    const tag = repo.tags.find((one) => one.name === req.params.tag);
    if (!tag) throw new Refused(404, 'Tag not found');
    res.json(tagJson(repo, tag));
  });

  router.get(`${base}/commits`, (req, res) => {
    const repo = repoOf(req);
    const query = new URL(req.originalUrl, 'http://x').searchParams;
    const index = (ref: string) => {
      const commit = findCommit(repo, ref);
      if (!commit) throw new Refused(404, `Commit not found: ${ref}`);
      return repo.commits.indexOf(commit);
    };
    const from = Math.min(...query.getAll('include').map(index), repo.commits.length);
    const to = Math.min(...query.getAll('exclude').map(index), repo.commits.length);
    const start = query.has('include') ? from : 0;
    page(
      req,
      res,
      repo.commits.slice(start, Math.max(start, to)).map((one) => commitJson(repo, one)),
      100,
    );
  });
  router.get(`${base}/commit/:commit`, (req, res) => {
    const repo = repoOf(req);
    // A ref with a slash cannot stand here, however it is encoded.
    if (String(req.params.commit).includes('/')) throw new Refused(404, 'Resource not found');
    res.json(commitJson(repo, commitOf(req, repo)));
  });
  router.get(`${base}/commit/:commit/statuses`, (req, res) => {
    const repo = repoOf(req);
    if (String(req.params.commit).includes('/')) throw new Refused(404, 'Resource not found');
    const { hash } = commitOf(req, repo);
    page(req, res, [...(repo.statuses.get(hash)?.values() ?? [])], 100);
  });
  router.post(`${base}/commit/:commit/statuses/build`, (req, res) => {
    const repo = repoOf(req);
    const { hash } = commitOf(req, repo);
    const { key, state, ...texts } = req.body as Record<string, string> & {
      key: string;
      state: string;
    };
    requireLength('key', key, 40);
    requireLength('url', texts.url, 450);
    for (const field of ['name', 'description', 'refname']) requireLength(field, texts[field], 255);
    if (
      !/^https?:\/\/(localhost|\[[0-9a-f:]+\]|[a-z0-9-]+(\.[a-z0-9-]+)+)([:/]|$)/.test(
        texts.url ?? '',
      )
    )
      throw new Refused(400, 'url: Enter a valid URL.');
    if (!STATES.includes(state)) throw new Refused(400, `state: "${state}" is not a valid choice.`);
    const all = repo.statuses.get(hash) ?? new Map<string, Record<string, unknown>>();
    repo.statuses.set(hash, all);
    const old = all.get(key);
    const now = '2026-10-05T10:11:12.120000+00:00';
    const status = {
      ...req.body,
      type: 'build',
      created_on: old?.created_on ?? now,
      updated_on: now,
    };
    all.set(key, status);
    res.status(old ? 200 : 201).json(status);
  });

  router.get(`${base}/pullrequests`, (req, res) => {
    const repo = repoOf(req);
    const wanted = new URL(req.originalUrl, 'http://x').searchParams.getAll('state');
    const states = wanted.length > 0 ? wanted : ['OPEN'];
    const values = repo.pullRequests.filter((one) => states.includes(one.state));
    page(
      req,
      res,
      values.map((one) => pullRequestJson(repo, one)),
      50,
    );
  });
  const pullRequestOf = (req: Request, repo: StandInRepository) => {
    const found = repo.pullRequests.find((one) => one.id === Number(req.params.id));
    if (!found) throw new Refused(404, 'no PR');
    return found;
  };
  router.get(`${base}/pullrequests/:id`, (req, res) => {
    const repo = repoOf(req);
    res.json(pullRequestJson(repo, pullRequestOf(req, repo)));
  });
  router.post(`${base}/pullrequests`, (req, res) => {
    const repo = repoOf(req);
    const { title, source, destination } = req.body as {
      title: string;
      source: { branch: { name: string }; repository?: { full_name: string } };
      destination?: { branch: { name: string } };
    };
    requireLength('title', title, 255);
    const fullName = `${repo.workspace}/${repo.slug}`;
    const target = destination?.branch.name ?? repo.mainBranch;
    const hash = repo.branches.get(source.branch.name);
    if (hash === undefined) throw new Refused(400, 'source: branch not found');
    const created = {
      id: repo.pullRequests.length + 1,
      title,
      state: 'OPEN' as const,
      source: {
        repository: source.repository?.full_name ?? fullName,
        branch: source.branch.name,
        hash,
      },
      destination: { repository: fullName, branch: target, hash: repo.branches.get(target) ?? '' },
      comments: [],
    };
    repo.pullRequests.push(created);
    res.status(201).json(pullRequestJson(repo, created));
  });
  router.post(`${base}/pullrequests/:id/comments`, (req, res) => {
    const { content } = req.body as { content: { raw: string } };
    requireLength('content.raw', content.raw, 32_768);
    pullRequestOf(req, repoOf(req)).comments.push(content.raw);
    res.status(201).json({ type: 'pullrequest_comment', id: 1, content });
  });

  router.get(`${base}/hooks`, (req, res) => page(req, res, repoOf(req).hooks.map(hookJson), 100));
  router.post(`${base}/hooks`, (req, res) => {
    const hook = { uuid: `{${randomUUID()}}`, ...req.body };
    repoOf(req).hooks.push(hook);
    res.status(201).json(hookJson(hook));
  });
  const hookOf = (req: Request) => {
    const found = repoOf(req).hooks.find((one) => one.uuid === req.params.uid);
    if (!found) throw new Refused(404, 'Webhook not found');
    return found;
  };
  router.put(`${base}/hooks/:uid`, (req, res) => {
    const hook = Object.assign(hookOf(req), req.body);
    res.json(hookJson(hook));
  });
  router.delete(`${base}/hooks/:uid`, (req, res) => {
    const { hooks } = repoOf(req);
    hooks.splice(hooks.indexOf(hookOf(req)), 1);
    res.status(204).end();
  });

  router.use(answerRefused);
  return router;
}
