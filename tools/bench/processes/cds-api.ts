// Stands in for the CDS API where it must not be what takes the time: it counts, and judges
// nothing.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerParent } from './answer-parent';
import { readCommit } from './deliveries';
import { HASH } from './service-hash';

/** What has come since the last `reset`. */
export interface ApiCounts {
  runs: number;
  removals: number;
  /** Runs of a commit that had its run before. */
  repeated: number;
  /** Runs of a hook that came before one that was sent earlier. */
  outOfOrder: number;
  /** Milliseconds since the epoch. */
  firstAt: number;
  lastAt: number;
  heartbeats: number;
  /** How often it was asked for all hooks. */
  lists: number;
}

/** A registration that a 401 brought about. */
export interface Heartbeat {
  /** From the 401 until it was here (ms). */
  afterMs: number;
  bytes: number;
}

/** A run as a service asked for it. */
export interface RunSample {
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** What `go` let go, and when (ms since the epoch). */
export interface LetGo {
  held: number;
  at: number;
}

const RUN = /^\/project\/[^/]+\/workflows\/[^/]+\/runs$/;

let listed = '[]';
let isHeld = false;
let release: (() => void)[] = [];
let seen = new Set<string>();
let newest = new Map<string, number>();
let removalTimes: number[] = [];
let runTimes: { hash: string; at: number }[] = [];
let counts = nothing();
let sample: RunSample | undefined;
let listHeld: Promise<void> | undefined;
let releaseList: () => void = () => undefined;
/** When the last run was refused with 401, until the service has registered again. */
let forgotAt: number | undefined;
let forgetsNext = false;
let heartbeats: Heartbeat[] = [];

function nothing(): ApiCounts {
  return {
    ...{ runs: 0, removals: 0, repeated: 0, outOfOrder: 0, firstAt: 0, lastAt: 0 },
    ...{ heartbeats: 0, lists: 0 },
  };
}

const now = (): number => performance.timeOrigin + performance.now();

function noteRun(body: string): void {
  const at = now();
  counts.runs += 1;
  counts.firstAt ||= at;
  counts.lastAt = at;
  const hash = /"git\.hash":"([0-9a-f]{40})"/.exec(body)?.[1];
  if (hash === undefined) return;
  if (seen.has(hash)) {
    counts.repeated += 1;
    return;
  }
  seen.add(hash);
  runTimes.push({ hash, at });
  const [round, hook, number] = readCommit(hash);
  const key = `${round} ${hook}`;
  if (number < (newest.get(key) ?? -1)) counts.outOfOrder += 1;
  newest.set(key, number);
}

/** Those that a client chose, not those that the connection needs. */
function sentHeaders({ headers }: IncomingMessage): Record<string, string> {
  const ofConnection = new Set(['host', 'connection', 'content-length', 'transfer-encoding']);
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && !ofConnection.has(name) ? [[name, value]] : [],
    ),
  );
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const came = now();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const [path = ''] = (request.url ?? '').split('?');
  if (request.method === 'POST' && RUN.test(path)) {
    if (isHeld) await new Promise<void>((resolve) => release.push(resolve));
    if (response.destroyed) return;
    if (forgetsNext) {
      forgetsNext = false;
      forgotAt = now();
      return answer(response, 401, '{"id":10,"status":401,"message":"who?","uuid":"u"}');
    }
    noteRun(body);
    sample ??= { path, headers: sentHeaders(request), body };
    answer(response, 202, `{"id":${counts.runs},"num":${counts.runs}}`);
    return;
  }
  if (request.method === 'DELETE') {
    counts.removals += 1;
    removalTimes.push(now());
    return answer(response, 200, 'null');
  }
  if (path === '/services/register') {
    counts.heartbeats += 1;
    if (forgotAt !== undefined)
      heartbeats.push({ afterMs: came - forgotAt, bytes: Buffer.byteLength(body) });
    forgotAt = undefined;
    const asked = JSON.parse(body) as object;
    return answer(response, 200, JSON.stringify({ ...asked, id: 1, hash: HASH, token: '' }));
  }
  if (path === '/workflow/hook') {
    counts.lists += 1;
    await listHeld;
    return answer(response, 200, listed);
  }
  if (path === '/mon/version') return answer(response, 200, '{"version":"0.41.0"}');
  answer(response, 404, '{"id":1,"status":404,"message":"not here"}');
}

answerParent({
  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      serve(request, response).catch(() => response.destroy());
    });
    server.keepAliveTimeout = 60_000;
    server.requestTimeout = 0;
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  /** The hooks that the API lists (JSON). */
  list(hooks: string) {
    listed = hooks;
  },
  /** Runs are not answered until `go`. */
  hold() {
    isHeld = true;
  },
  go(): LetGo {
    isHeld = false;
    const before = { held: release.length, at: now() };
    for (const resolve of release) resolve();
    release = [];
    return before;
  },
  /** The first run that ever came. */
  sample: () => sample,
  /** Whoever asks for all hooks waits until `goList`. */
  holdList() {
    listHeld = new Promise((resolve) => (releaseList = resolve));
  },
  goList() {
    listHeld = undefined;
    releaseList();
  },
  /** Refuses the next run with 401, as an API does that has forgotten the service. */
  forget() {
    forgetsNext = true;
  },
  /** The registrations that followed since the last `reset`. */
  heartbeats: () => heartbeats,
  counts: () => counts,
  runTimes: () => runTimes,
  removalTimes: () => removalTimes,
  reset() {
    counts = nothing();
    seen = new Set();
    newest = new Map();
    removalTimes = [];
    runTimes = [];
    heartbeats = [];
  },
});
