import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { connectRedis } from '@cds/redis';
import { describeShared, silentLogger, startTestRedis, type TestRedis } from '@cds/testing';
import type { Redis } from 'ioredis';
import { unpackTar } from 'modern-tar';
import request from 'supertest';
import { getApp } from '../src/get-app';
import { ARCHIVED, startPrimedBitbucket } from './primed-bitbucket.fixture';
import { startRecordedBitbucket, type Recorded } from './recorded-bitbucket.fixture';
import {
  type Answer,
  comparable,
  containing,
  type Json,
  nameOf,
  withoutTransport,
} from './replay.fixture';

/** An answer that differs from the recorded one, and why. */
interface Rule {
  why: string;
  applies(entry: Recorded): boolean;
  expected(recorded: Answer, entry: Recorded): Answer;
}

const isGet = (route: RegExp) => (entry: Recorded) =>
  entry.request.method === 'GET' && route.test(entry.request.url);
const mapBody =
  (change: (one: Json) => Json) =>
  ({ status, body }: Answer): Answer => ({
    status,
    body: Array.isArray(body) ? body.map(change) : change(body as Json),
  });

const asRef = (branch: Json): Json => ({ ...branch, id: `refs/heads/${String(branch['id'])}` });

function withFullHashes(end: Json): Json {
  const text = JSON.stringify(end)
    .replaceAll('"8baeabad365d"', '"8baeabad365de895ab58ec0d6dd2c1e27b0ff0b4"')
    .replaceAll('"5ed11a62487e"', '"5ed11a62487ec27693587f60d56e97880264da3b"');
  const { branch, ...rest } = JSON.parse(text) as Json;
  return { ...rest, branch: asRef(branch as Json) };
}

/** CDS's own `vcs`, on a Bitbucket that still had what it asks for. */
const OF_CDS: Rule[] = [
  {
    why: 'Bitbucket lists no workspaces of all accounts any more; ours asks for those of the user',
    applies: ({ request: { url }, response: { status } }) => /\/repos$/.test(url) && status === 404,
    expected: () => ({ status: 200, body: expect.any(Array) }),
  },
  {
    why: 'workflows as code need whole refs as ids',
    applies: isGet(/\/branches(\/?\?|$)/),
    expected: mapBody(asRef),
  },
  {
    why: 'whole refs as ids, whole hashes since CDS compares them, users by their nickname',
    applies: isGet(/\/pullrequests$/),
    expected: mapBody((one) => ({
      ...one,
      user: { ...(one['user'] as Json), name: 'jdoe' },
      head: withFullHashes(one['head'] as Json),
      base: withFullHashes(one['base'] as Json),
    })),
  },
  {
    why: 'clone links are taken by position at 0.51, and the https one is not found at 0.57',
    applies: isGet(/\/(repos|forks|repos\/[^/]+\/[^/?]+)$/),
    expected: mapBody((one) => ({
      ...one,
      ssh_url: expect.stringMatching(/^git@.*\.git$/),
      http_url: expect.stringMatching(/^https:\/\/.*\.git$/),
    })),
  },
  {
    why: 'the second page is asked for by a number, which Bitbucket refuses',
    applies: ({ response: { status } }) => status === 400,
    expected: () => ({ status: 200, body: expect.any(Array) }),
  },
  {
    why: 'no status is listed there, since none has the prefix of older names any more',
    applies: isGet(/\/statuses$/),
    expected: ({ status }) => ({ status, body: expect.any(Array) }),
  },
  {
    why: 'an author without an account has the name that git has',
    applies: isGet(/\/(commits\/[0-9a-f]{40}|tags)$/),
    expected: mapBody((one) => {
      const name = 'author' in one ? 'author' : 'tagger';
      const displayName = expect.any(String) as unknown;
      return { ...one, [name]: { ...(one[name] as Json), displayName } };
    }),
  },
  {
    why: 'webhooks of 0.51 were created at a Bitbucket that is not recorded',
    applies: ({ request: { method, url } }) => method === 'POST' && url.endsWith('/hooks'),
    expected: mapBody((one) => ({ ...one, id: expect.stringMatching(/^\{.+\}$/) })),
  },
  {
    why: 'the type was empty',
    applies: isGet(/^\/vcs$/),
    expected: ({ status, body }) => ({
      status,
      body: {
        bitbucketcloud: { ...((body as Json)['bitbucketcloud'] as Json), type: 'bitbucketcloud' },
      },
    }),
  },
];

/** A `vcs` that was made to record workflows as code. */
const OF_PROBE: Rule[] = [
  {
    why: 'Go names, each entry by its own name, no more than the limit',
    applies: (entry) => isGet(/\/contents\//)(entry) && Array.isArray(entry.response.body),
    expected: ({ status, body }) => ({
      status,
      body: (body as Json[]).slice(0, 1).map((one) => ({
        Name: String(one['Name'] ?? one['name'])
          .split('/')
          .at(-1),
        IsDirectory: one['IsDirectory'] ?? one['is_directory'],
        IsFile: one['IsFile'] ?? one['is_file'],
        Content: '',
      })),
    }),
  },
  {
    why: 'what says nothing is 204',
    applies: ({ request: { url }, response: { status } }) =>
      url.includes('/insight/') && status === 200,
    expected: () => ({ status: 204, body: undefined }),
  },
  {
    why: 'Bitbucket tells the commit of a tag, not its own hash',
    applies: isGet(/\/tags(\/|$)/),
    expected: mapBody((one) => ({ ...one, sha: one['hash'] })),
  },
  {
    why: 'an unknown repository has an error of its own',
    applies: ({ request: { url }, response: { status } }) =>
      status === 404 && /\/repos\/[^/]+\/[^/?]+$/.test(url),
    expected: () => ({ status: 404, body: { id: 45 } }),
  },
  {
    why: 'an error tells what was not found',
    applies: ({ response: { status } }) => status === 404,
    expected: () => ({
      status: 404,
      body: { id: 38, message: expect.stringMatching(/^resource not found/) },
    }),
  },
];

interface Replay {
  cds: string;
  file: string;
  /** What Bitbucket answered; else it is primed with what `vcs` answered. */
  bitbucket?: string;
  rules: Rule[];
}

const REPLAYS: Replay[] = [
  {
    ...{ cds: '0.57', file: 'cds-0.57/api-to-vcs.json', rules: OF_CDS },
    bitbucket: 'cds-0.57/vcs-to-bitbucket.json',
  },
  {
    ...{ cds: '0.51', file: 'cds-0.51/api-to-vcs.json', rules: OF_CDS },
    bitbucket: 'cds-0.57/vcs-to-bitbucket.json',
  },
  { cds: '0.57 with a probe', file: 'cds-0.57/api-to-vcs-v2-probe.json', rules: OF_PROBE },
  { cds: '0.57 for workflows as code', file: 'cds-0.57-v2/api-to-vcs.json', rules: OF_PROBE },
];

describeShared('what a later CDS asked of its vcs service', (root) => {
  const read = (file: string): Recorded[] =>
    JSON.parse(readFileSync(join(root, 'contract', file), 'utf8'));
  let redisServer: TestRedis;
  let redis: Redis;

  beforeAll(async () => {
    redisServer = await startTestRedis();
    redis = connectRedis(
      { redis: redisServer.config, logger: silentLogger(), name: 'vcs' },
      'client',
    );
    await once(redis, 'ready');
  });

  afterAll(async () => {
    redis.disconnect();
    await redisServer.stop();
  });

  describe.each(REPLAYS)('CDS $cds', ({ cds, file, bitbucket: recording, rules }) => {
    let bitbucket: { apiUrl: string; unknown: string[]; close(): Promise<void> };
    let prime: (entry: Recorded) => void = () => undefined;
    let app: ReturnType<typeof getApp>;

    beforeAll(async () => {
      await redisServer.flush();
      if (recording === undefined) {
        const primed = await startPrimedBitbucket();
        [bitbucket, prime] = [primed, primed.prime];
      } else {
        const answers = read(recording).filter(({ response }) => response.status < 400);
        bitbucket = await startRecordedBitbucket(answers);
      }
      const oauth = {
        ...{ name: 'bitbucketcloud', url: 'https://bitbucket.org', callsPerHour: 1_000 },
        ...{ clientId: 'cid', clientSecret: 'the-client-secret', proxyWebhook: '' },
        ...{ apiUrl: bitbucket.apiUrl, oauthUrl: 'https://bitbucket.org/site/oauth2' },
        ...{ disableWebHooks: false, disableWebHooksCreation: false, polling: false },
        status: { disable: false, showDetail: true },
      };
      app = getApp({
        config: {
          webhookKey: 'the-webhook-key-of-this-spec',
          servers: cds === '0.51' ? [oauth] : [],
        },
        redis,
        logger: silentLogger(),
        api: { nodeRun: async () => undefined },
        uiUrl: () => 'http://localhost:4200',
        callers: { isAllowed: () => true },
        monitoring: async () => ({ now: '', lines: [] }),
        apiVersion: {
          atLeast: (major, minor) => major === 0 && minor <= (cds === '0.51' ? 51 : 57),
        },
      });
    });

    afterAll(async () => {
      await app.close(0);
      await bitbucket.close();
    });

    const entries = read(file).map((entry, index) => ({ index, name: nameOf(entry), entry }));
    it.each(entries)('$index $name', async ({ entry }) => {
      prime(entry);
      const { method, url, headers, body } = entry.request;
      const verb = method.toLowerCase() as 'get';
      const agent = request(app.app);
      const answer = await agent[verb](url)
        .buffer(true)
        .parse(readBytes)
        .set({
          ...withoutTransport(headers),
          'content-type': 'application/json',
          x_auth_header: 'aGFzaA==',
          'x-cds-vcs-url-api': Buffer.from(bitbucket.apiUrl).toString('base64'),
        })
        .send(body === null || body === undefined ? undefined : JSON.stringify(body));
      const bytes = answer.body as Buffer;
      if (url.endsWith('/archive')) return expectArchive(answer.status, bytes);

      const recorded = { status: entry.response.status, body: entry.response.body };
      const rule = rules.find(({ applies }) => applies(entry));
      const expected = rule?.expected(recorded, entry) ?? recorded;
      expect(answer.headers['content-type']).toContain('application/json');
      expect({ status: answer.status, said: bytes.toString() }).toMatchObject({
        status: expected.status,
      });
      const said = bytes.length === 0 ? undefined : comparable(url, JSON.parse(bytes.toString()));
      expect(said ?? null).toEqual(containing(comparable(url, expected.body) ?? null));
    });

    it('asked Bitbucket for nothing that is not there', () => {
      expect(bitbucket.unknown).toEqual([]);
    });

    it('needs every rule', () => {
      const recorded = read(file);
      const unused = rules.filter((rule) => !recorded.some(rule.applies));
      const known = REPLAYS.filter((one) => one.rules === rules).flatMap((one) => read(one.file));
      expect(unused.filter((rule) => !known.some(rule.applies)).map(({ why }) => why)).toEqual([]);
    });
  });
});

async function expectArchive(status: number, bytes: Buffer): Promise<void> {
  expect(status).toBe(200);
  const entries = await unpackTar(gunzipSync(bytes));
  expect(entries.map(({ header }) => header.name)).toEqual(ARCHIVED);
}

function readBytes(
  res: NodeJS.EventEmitter,
  done: (error: Error | null, body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  res.on('data', (chunk: Buffer) => chunks.push(chunk));
  res.on('end', () => done(null, Buffer.concat(chunks)));
}
