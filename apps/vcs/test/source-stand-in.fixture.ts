import { parseUrl } from '@cds/network';
import express, { type Request, type Response, type Router } from 'express';
import { findCommit, type StandInFile, type StandInRepository } from './stand-in-data.fixture';
import { answerRefused, page, Refused, requireLength } from './stand-in-http.fixture';

const REPORT_TYPES = ['SECURITY', 'COVERAGE', 'TEST', 'BUG'];
const RESULTS = [undefined, 'PASSED', 'FAILED', 'PENDING'];
const PRIVATE_HOST = /^(localhost|127\.|10\.|192\.168\.|[^.]+$|.*\.(internal|local|lan)$)/;

/** The files of commits and the reports about them, below `/2.0`. */
export function sourceStandIn(repositories: StandInRepository[]): Router {
  const router = express.Router({ strict: true, caseSensitive: true });

  function commitOf(req: Request): { repo: StandInRepository; hash: string } {
    const { ws, slug, commit } = req.params;
    const repo = repositories.find((one) => one.workspace === ws && one.slug === slug);
    if (!repo) throw new Refused(404, `Repository ${ws}/${slug} not found`);
    const found = findCommit(repo, String(commit));
    // A ref with a slash cannot stand here, however it is encoded.
    if (!found || String(commit).includes('/')) throw new Refused(404, 'Commit not found');
    return { repo, hash: found.hash };
  }

  const base = '/repositories/:ws/:slug';
  for (const below of ['/', '/*path'])
    router.get(`${base}/src/:commit${below}`, (req: Request, res: Response) => {
      const { repo, hash } = commitOf(req);
      const { path = [] } = req.params as unknown as { path?: string[] };
      const files = repo.files.get(hash) ?? [];
      const query = new URL(req.originalUrl, 'http://x').searchParams;
      const name = path.filter((segment) => segment !== '').join('/');
      const file = files.find((one) => one.path === name);
      const isDirectory = name === '' || files.some((one) => one.path.startsWith(`${name}/`));
      if (file ? path.at(-1) === '' : !isDirectory)
        throw new Refused(404, `No such file or directory: ${path.join('/')}`);
      if (query.get('format') === 'meta')
        return void res.json(file ? fileJson(file) : directoryJson(name));
      if (file) return void sendFile(res, file);
      page(req, res, listing(files, name, Number(query.get('max_depth') ?? 1)), 100);
    });

  router.put(`${base}/commit/:commit/reports/:id`, (req, res) => {
    const { repo, hash } = commitOf(req);
    const report = req.body as Record<string, unknown> & { data?: Record<string, unknown>[] };
    checkReport(report);
    repo.reports.set(`${hash} ${req.params.id}`, report);
    res.json({ type: 'report', uuid: '{report}', external_id: req.params.id, ...report });
  });
  router.use(answerRefused);
  return router;
}

function sendFile(res: Response, { path, content, attributes = [] }: StandInFile): void {
  if (attributes.includes('lfs'))
    return void res.redirect(301, 'https://api.media.atlassian.com/file/1');
  res.setHeader('Content-Disposition', `attachment; filename="${encodeURIComponent(path)}"`);
  res.type(/\.ya?ml$/.test(path) ? 'application/yaml' : 'application/octet-stream');
  res.send(Buffer.from(content));
}

function fileJson({ path, content, attributes = [] }: StandInFile) {
  const size = Buffer.from(content).length;
  return { type: 'commit_file', path, size, attributes, commit: { type: 'commit' } };
}

function directoryJson(path: string) {
  return { type: 'commit_directory', path, commit: { type: 'commit' } };
}

/** In the order of git: what is below a directory follows it. */
function listing(files: readonly StandInFile[], directory: string, maxDepth: number): object[] {
  const entries = new Map<string, object>();
  const start = directory === '' ? 0 : directory.split('/').length;
  for (const file of files.toSorted((one, other) => (one.path < other.path ? -1 : 1))) {
    if (directory !== '' && !file.path.startsWith(`${directory}/`)) continue;
    const segments = file.path.split('/');
    for (let depth = 1; depth <= maxDepth && start + depth < segments.length; depth += 1) {
      const path = segments.slice(0, start + depth).join('/');
      if (!entries.has(path)) entries.set(path, directoryJson(path));
    }
    if (segments.length - start <= maxDepth) entries.set(file.path, fileJson(file));
  }
  return [...entries.values()];
}

function checkReport(report: Record<string, unknown> & { data?: Record<string, unknown>[] }): void {
  for (const [field, max] of [
    ['title', 450],
    ['details', 2_000],
  ] as const) {
    const text = report[field];
    if (typeof text !== 'string' || text === '') throw new Refused(400, `${field}: required`);
    requireLength(field, text, max);
  }
  if (!REPORT_TYPES.includes(String(report['report_type'])))
    throw new Refused(400, 'report_type: not a valid choice');
  if (!RESULTS.includes(report['result'] as string | undefined))
    throw new Refused(400, 'result: not a valid choice');
  if ((report.data ?? []).length > 10) throw new Refused(400, 'data: at most 10 elements');
  for (const { type, title, value } of report.data ?? []) {
    if (typeof title !== 'string' || title === '') throw new Refused(400, 'data.title: required');
    if (type === 'LINK') checkLink(value);
    else if (type === 'TEXT' && (typeof value !== 'string' || value === ''))
      throw new Refused(400, 'data.value: a text is required');
  }
}

function checkLink(value: unknown): void {
  const { href, text } = Object(value) as { href?: unknown; text?: unknown };
  if (typeof href !== 'string' || !parseUrl(href) || typeof text !== 'string')
    throw new Refused(400, 'data.value: text and href are required');
  if (PRIVATE_HOST.test(new URL(href).hostname))
    throw new Refused(400, 'data.value.href: cannot be resolved');
}
