import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Asked, AskedRemoval, AskedRun } from '../checker/history';
import { freePort } from '@cds/testing';

/** A call of a run or a removal, or a poll, that has come to the gate. */
export interface GateCall {
  kind: 'run' | 'removal' | 'poll';
  hook: string;
  /** Of a run: the pushed commit, or `scheduled`; of a removal: the branch; of a poll: nothing. */
  name: string;
  /** The service that asks. */
  by: string;
}

/** What the gate does with a call: `pass` it on; the other ones are what can happen on the way. */
export type Handling =
  | { kind: 'pass' }
  /**
   * Passed on after a while, also when the caller has gone by then. A removal waits for those of
   * the same branch.
   */
  | { kind: 'slow'; ms: number }
  /** Passed on and done at once, and answered after a while. */
  | { kind: 'slow-answer'; ms: number }
  /** Not passed on: this is the answer. */
  | { kind: 'answer'; status: number; contentType: string; body: string }
  /** Not passed on: the connection is cut. */
  | { kind: 'drop' }
  /** Passed on and done, and the connection is cut instead of the answer. */
  | { kind: 'lose-answer' }
  /** Not passed on, and never answered. */
  | { kind: 'swallow' };

export type Judge = (call: GateCall) => Handling | Promise<Handling>;

/**
 * What stands between the services and the API: it writes down every run, removal and poll, and can
 * make calls fail.
 */
export interface ApiGate {
  url: string;
  runs: AskedRun[];
  removals: AskedRemoval[];
  polls: Asked[];
  /** When it went away. Calls that were cut just then are not written down. */
  wentAway: number[];
  /** Decides about each of these calls from now on; nothing given lets all pass. */
  judge(judge?: Judge): void;
  /**
   * From now on it answers for a `vcs` that is none of the fault's business: that the API reaches
   * one.
   */
  standInForVcs(): void;
  /** Stops listening and cuts all connections: the API is away. */
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}

const RUN = /^\/project\/[^/]+\/workflows\/([^/]+)\/runs$/;
const POLL = /^\/hook\/([^/]+)\/workflow\/[^/]+\/vcsevent\//;
const REMOVAL = /^\/project\/[^/]+\/workflows\/([^/]+)\/runs\/branch\/([^/]+)$/;

export async function startApiGate(deps: {
  /** Where the stand-in of the API listens. */
  target: { port: number };
  /** Who sent these headers. */
  serviceOf: (headers: IncomingHttpHeaders) => string;
  /** uuid of the hook of a workflow. */
  hookOf: (workflow: string) => string;
}): Promise<ApiGate> {
  const port = await freePort();
  const agent = new Agent({ keepAlive: true });
  const runs: AskedRun[] = [];
  const removals: AskedRemoval[] = [];
  const polls: Asked[] = [];
  const wentAway: number[] = [];
  let judge: Judge = () => ({ kind: 'pass' });
  let server: Server | undefined;
  let standsInForVcs = false;
  /** Removals of the same runs follow each other, as the rows of a database are locked. */
  const removing = new Map<string, Promise<unknown>>();

  function inTurn<T>(call: GateCall | undefined, work: () => Promise<T>): Promise<T> {
    if (call?.kind !== 'removal') return work();
    const of = JSON.stringify([call.hook, call.name]);
    const turn = (removing.get(of) ?? Promise.resolve()).then(work, work);
    removing.set(of, turn);
    return turn;
  }

  /** Writes the call down; undefined for calls of another kind. */
  function note(
    incoming: IncomingMessage,
    body: Buffer,
  ): { call: GateCall; asked: Asked } | undefined {
    const { pathname } = new URL(incoming.url ?? '/', 'http://gate');
    const by = deps.serviceOf(incoming.headers);
    const at = Date.now();
    if (incoming.method === 'POST' && RUN.test(pathname)) {
      const { hook } = JSON.parse(body.toString('utf8')) as {
        hook: { uuid: string; payload: Record<string, string> };
      };
      // No delivery calls for it: it is checked with the schedule that does.
      if (hook.payload['cds.triggered_by.username'] === 'cds.scheduler') {
        const asked: AskedRun = { hook: hook.uuid, hash: '', by, at, answered: false };
        return { call: { kind: 'run', hook: hook.uuid, name: 'scheduled', by }, asked };
      }
      const hash = hook.payload['git.hash'] ?? '';
      const asked: AskedRun = { hook: hook.uuid, hash, by, at, answered: false };
      runs.push(asked);
      return { call: { kind: 'run', hook: hook.uuid, name: hash, by }, asked };
    }
    const [, polled] = (incoming.method === 'GET' && POLL.exec(pathname)) || [];
    if (polled !== undefined) {
      const asked: Asked = { hook: polled, by, at, answered: false };
      polls.push(asked);
      return { call: { kind: 'poll', hook: polled, name: '', by }, asked };
    }
    const removal = incoming.method === 'DELETE' ? REMOVAL.exec(pathname) : null;
    if (!removal) return undefined;
    const [, workflow = '', branch = ''] = removal.map((part) => decodeURIComponent(part ?? ''));
    const hook = deps.hookOf(workflow);
    const asked: AskedRemoval = { hook, branch, by, at, answered: false };
    removals.push(asked);
    return { call: { kind: 'removal', hook, name: branch, by }, asked };
  }

  function pass(
    incoming: IncomingMessage,
    body: Buffer,
  ): Promise<{ answer: IncomingMessage; text: Buffer }> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        {
          agent,
          host: '127.0.0.1',
          port: deps.target.port,
          method: incoming.method,
          path: incoming.url,
          headers: { ...incoming.headers, connection: 'keep-alive' },
        },
        (answer) => void bodyOf(answer).then((text) => resolve({ answer, text }), reject),
      );
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }

  function open(): Promise<unknown> {
    const opened = createServer((incoming, response) => {
      response.on('error', () => undefined);
      void (async () => {
        const body = await bodyOf(incoming);
        if (standsInForVcs && incoming.url === '/config/vcs') {
          response.writeHead(200, { 'Content-Type': 'application/json' });
          response.end('{"bitbucketcloud":{}}');
          return;
        }
        const noted = note(incoming, body);
        const handling = noted ? await judge(noted.call) : { kind: 'pass' as const };
        if (handling.kind === 'swallow') return;
        if (handling.kind === 'drop') {
          incoming.socket.destroy();
          return;
        }
        if (handling.kind === 'answer') {
          response.writeHead(handling.status, { 'Content-Type': handling.contentType });
          response.end(handling.body);
          return;
        }
        const { answer, text } = await inTurn(noted?.call, async () => {
          if (handling.kind === 'slow') await sleep(handling.ms);
          return pass(incoming, body);
        });
        if (noted && (answer.statusCode ?? 500) < 300) noted.asked.servedAt = Date.now();
        if (handling.kind === 'slow-answer') await sleep(handling.ms);
        if (handling.kind === 'lose-answer' || response.destroyed) {
          incoming.socket.destroy();
          return;
        }
        response.once('finish', () => {
          if (noted) noted.asked.answered = true;
        });
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        response.end(text);
      })().catch(() => incoming.socket.destroy());
    });
    server = opened;
    opened.listen(port, '127.0.0.1');
    return once(opened, 'listening');
  }

  async function close(): Promise<void> {
    const closing = server;
    server = undefined;
    if (!closing) return;
    const closed = new Promise((resolve) => closing.close(resolve));
    closing.closeAllConnections();
    await closed;
  }

  await open();
  return {
    url: `http://127.0.0.1:${port}`,
    runs,
    removals,
    polls,
    wentAway,
    judge(next = () => ({ kind: 'pass' })) {
      judge = next;
    },
    standInForVcs() {
      standsInForVcs = true;
    },
    async away() {
      wentAway.push(Date.now());
      await close();
    },
    async back() {
      if (!server) await open();
    },
    async close() {
      await close();
      agent.destroy();
    },
  };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
