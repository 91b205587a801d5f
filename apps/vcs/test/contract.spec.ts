import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectRedis } from '@cds/redis';
import { describeShared, silentLogger, startTestRedis, type TestRedis } from '@cds/testing';
import type { Redis } from 'ioredis';
import request from 'supertest';
import { getApp } from '../src/get-app';
import { startRecordedBitbucket, type Recorded } from './recorded-bitbucket.fixture';
import {
  type Answer,
  comparable,
  containing,
  type Json,
  nameOf,
  withoutTransport,
} from './replay.fixture';

const HASH = '6c9862f2-2dbd-44c7-ab70-751beab7c8bf';

/**
 * Where our answers differ from the recorded ones, entry by entry, and why: numbers of the
 * contract's list.
 */
const EXCEPTIONS: Record<number, { why: string; expected: (recorded: Answer) => Answer }> = {
  ...both([0, 1], '6: type was empty', ({ status, body }) => ({
    status,
    body: {
      bitbucketcloud: { ...((body as Json).bitbucketcloud as Json), type: 'bitbucketcloud' },
    },
  })),
  ...both([13, 17], '6: type was empty', ({ status, body }) => ({
    status,
    body: { ...(body as Json), type: 'bitbucketcloud' },
  })),
  ...both([12, 33], '13: description is the name of the status', ({ status, body }) => ({
    status,
    body: (body as Json[]).map((one) => ({ ...one, description: 'CDS/PROJ-wf1-build' })),
  })),
  ...both([15, 34], '17: hashes in full', ({ status, body }) => ({
    status,
    body: (body as Json[]).map(withFullHashes),
  })),
  ...both([35], '17: hashes in full', ({ status, body }) => ({
    status,
    body: withFullHashes(body as Json),
  })),
  ...both([7, 19], 'there is no Gerrit at Bitbucket Cloud', ({ status, body }) => ({
    status,
    body: { ...(body as Json), gerrithook_disabled: true },
  })),
  ...both([27, 51], '7: an unknown branch is 404', () => ({
    status: 404,
    body: {
      id: 38,
      message: 'resource not found (from: (bitbucketcloud_error) Branch not found)',
      data: null,
    },
  })),
  // The stand-in has one list of commits.
  ...both([28], '15: without ends, the newest commits', () => ({
    status: 200,
    body: [{ message: 'commit c1\n' }, { message: 'commit c2\n' }, { message: 'commit c3\n' }],
  })),
  ...both([44], "16: an unknown path is CDS's error", () => ({
    status: 404,
    body: { id: 38, message: 'resource not found', data: null },
  })),
};

function both(entries: number[], why: string, expected: (recorded: Answer) => Answer) {
  return Object.fromEntries(entries.map((entry) => [entry, { why, expected }]));
}

function withFullHashes(pullRequest: Json): Json {
  const text = JSON.stringify(pullRequest)
    .replaceAll('"8baeabad365d"', '"8baeabad365de895ab58ec0d6dd2c1e27b0ff0b4"')
    .replaceAll('"5ed11a62487e"', '"5ed11a62487ec27693587f60d56e97880264da3b"');
  return JSON.parse(text);
}

describeShared('what a CDS 0.41 asked of its vcs service', (root) => {
  const read = (file: string): Recorded[] =>
    JSON.parse(readFileSync(join(root, 'contract', file), 'utf8'));
  const entries = read('api-to-vcs.json');
  let redisServer: TestRedis;
  let redis: Redis;
  let bitbucket: Awaited<ReturnType<typeof startRecordedBitbucket>>;

  beforeAll(async () => {
    redisServer = await startTestRedis();
    redis = connectRedis(
      { redis: redisServer.config, logger: silentLogger(), name: 'vcs' },
      'client',
    );
    await once(redis, 'ready');
    bitbucket = await startRecordedBitbucket(read('vcs-to-bitbucket.json'));
  });

  afterAll(async () => {
    redis.disconnect();
    await bitbucket.close();
    await redisServer.stop();
  });

  /** @param configured the second entry was recorded before the server was configured */
  function app(configured: boolean) {
    const server = {
      name: 'bitbucketcloud',
      url: 'https://bitbucket.org',
      clientId: 'the-client-id',
      clientSecret: 'the-client-secret',
      apiUrl: bitbucket.apiUrl,
      oauthUrl: bitbucket.oauthUrl,
      disableWebHooks: false,
      disableWebHooksCreation: false,
      proxyWebhook: '',
      polling: false,
      callsPerHour: 1000,
      status: { disable: false, showDetail: true },
    };
    return getApp({
      config: {
        webhookKey: 'the-webhook-key-of-this-spec',
        servers: configured ? [server] : [],
      },
      redis,
      logger: silentLogger(),
      api: { nodeRun: async () => undefined },
      uiUrl: () => 'http://localhost:4200',
      callers: {
        isAllowed: ({ headers }) => headers.x_auth_header === Buffer.from(HASH).toString('base64'),
      },
      monitoring: async () => ({ now: '', lines: [] }),
      apiVersion: { atLeast: () => false },
    }).app;
  }

  let configured: ReturnType<typeof app>;
  beforeAll(() => {
    configured = app(true);
  });

  const replays = entries.map((entry, index) => ({ index, name: nameOf(entry), entry }));
  it.each(replays)('$index $name', replay);

  async function replay({ index, entry }: (typeof replays)[number]) {
    const { method, url, headers, body } = entry.request;
    const target = index === 2 ? app(false) : configured;
    const verb = method.toLowerCase() as 'get';
    const agent = request(target);
    let call = agent[verb](url).set({
      ...withoutTransport(headers),
      x_auth_header: Buffer.from(HASH).toString('base64'),
    });
    if (body !== null && body !== undefined)
      call = call.send(typeof body === 'string' ? body : JSON.stringify(body));
    const answer = await call;

    const recorded = { status: entry.response.status, body: entry.response.body };
    const expected = EXCEPTIONS[index]?.expected(recorded) ?? recorded;
    expect(answer.status).toBe(expected.status);
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.headers['x-cds-access-token']).toBeUndefined();
    const said = answer.text === '' ? undefined : comparable(url, JSON.parse(answer.text));
    const wanted = comparable(url, expected.body);
    // The stand-in of Bitbucket has another address.
    const here = JSON.parse(
      JSON.stringify(said ?? null).replace(bitbucket.oauthUrl, 'https://bitbucket.org/site/oauth2'),
    );
    expect(here).toEqual(containing(wanted ?? null));
  }

  it('asked Bitbucket for nothing that is not there', () => {
    expect(bitbucket.unknown).toEqual([]);
  });
});
