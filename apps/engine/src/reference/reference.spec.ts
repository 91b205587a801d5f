import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeShared } from '@cds/testing';
import { pushedBranches } from './pushed-branches';
import {
  readRecord,
  referenceExecution,
  referenceTask,
  stateOfExecution,
} from './reference-records';
import { sourceAddress } from './source-address';

const execution = (fields: object) => {
  const read = readRecord(referenceExecution, JSON.stringify({ uuid: 'u', type: 't', ...fields }));
  if (!read.ok) throw new Error(read.reason);
  return read.value;
};

describe('what is left to do for an execution', () => {
  it.each([
    ['waiting', { status: '' }],
    ['waiting', { status: 'ENQUEUED' }],
    ['waiting', { status: 'SCHEDULED' }],
    ['under-way', { status: 'DOING', processing_timestamp: 1 }],
    ['retry', { status: 'DONE', processing_timestamp: 1, nb_errors: 2, last_error: 'refused' }],
    ['retry', { status: 'ENQUEUED', processing_timestamp: 1, nb_errors: 1, last_error: 'refused' }],
    ['done', { status: 'DONE', processing_timestamp: 1 }],
    ['done', { status: 'DONE', processing_timestamp: 1, nb_errors: 3, last_error: 'refused' }],
    // Stopped by an operator.
    ['done', { status: 'DONE', processing_timestamp: 1, nb_errors: 4, last_error: 'DONE' }],
    [
      'done',
      {
        ...{ status: 'DONE', processing_timestamp: 1, nb_errors: 1 },
        last_error: 'cannot: branchName parameter must be provided',
      },
    ],
  ])('%s: %j', (left, fields) => {
    expect(stateOfExecution(execution(fields), 3)).toBe(left);
  });
});

describe('records of the reference', () => {
  it('are read as Go writes them, nothing for what is empty', () => {
    const webhook = { request_url: '', request_body: null, request_header: null };
    expect(execution({ config: null, webhook }).webhook).toMatchObject({
      request_body: '',
      request_header: {},
    });
  });

  it('name the fields that are wrong, never their values', () => {
    const task = { uuid: 'u', type: 'hunter2', config: { password: { value: ['hunter2'] } } };
    expect(readRecord(referenceTask, JSON.stringify(task))).toEqual({
      ok: false,
      reason: 'not as CDS writes it: type, config.password',
    });
  });

  it('tell the branches that were pushed to, and none of what cannot be read', () => {
    const body = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
    const changes = [
      { new: { type: 'branch', name: 'dev' } },
      { new: { type: 'tag', name: 'v1' } },
      { new: null },
      { new: { type: 'branch' } },
    ];
    expect(pushedBranches(body({ push: { changes } }))).toEqual(['dev']);
    expect(pushedBranches(body([]))).toEqual([]);
    expect(pushedBranches('####')).toEqual([]);
  });
});

describe('the Redis to import from', () => {
  const ENV = { CDS_IMPORT_REDIS_PASSWORD: 's3cret', CDS_IMPORT_REDIS_KEYPREFIX: 'none:' };
  it.each([
    ['old', { address: { kind: 'single', host: 'old', port: 6379 } }],
    ['old:6380', { address: { kind: 'single', host: 'old', port: 6380 } }],
    ['/run/old.sock', { address: { kind: 'socket', path: '/run/old.sock' } }],
    [
      'm@s1:26379,s2:26380',
      {
        address: { kind: 'sentinel', name: 'm', sentinels: expect.any(Array) },
        sentinel: {},
      },
    ],
    [
      'redis://reader@old:6380/2',
      { address: { kind: 'single', host: 'old', port: 6380 }, username: 'reader', database: 2 },
    ],
    [
      'rediss://old:6380',
      {
        address: { kind: 'single', host: 'old', port: 6380 },
        tls: { rejectUnauthorized: true },
      },
    ],
  ])('%s', (text, expected) => {
    expect(sourceAddress(text, ENV)).toEqual({
      ...{ database: 0, keyPrefix: '', password: 's3cret' },
      ...expected,
    });
  });

  it('takes what the keys of a Redis take, from variables', () => {
    const env = {
      ...ENV,
      CDS_IMPORT_REDIS_USERNAME: 'reader',
      CDS_IMPORT_REDIS_DBINDEX: '3',
      CDS_IMPORT_REDIS_SENTINELPASSWORD: 'other',
      CDS_IMPORT_REDIS_ENABLETLS: 'true',
      CDS_IMPORT_REDIS_TLSSERVERNAME: 'redis.example',
    };
    const tls = { rejectUnauthorized: true, serverName: 'redis.example' };
    expect(sourceAddress('m@s1:1,s2:2', env)).toMatchObject({
      ...{ username: 'reader', password: 's3cret', database: 3, tls },
      sentinel: { password: 'other', tls },
    });
  });

  it.each([
    '',
    'a b',
    'http://old',
    'rediss://old/db',
    'redisx://old',
    'redis://old/db',
    'redis://old?x=1',
    'redis:/',
    'unix:///run/old.sock',
  ])('refuses %j', (text) => expect(() => sourceAddress(text, {})).toThrow(/^--from /));

  it('reads its password from a file', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'cds-import-')), 'password');
    writeFileSync(file, 's3cret\n');
    const env = { CDS_IMPORT_REDIS_PASSWORD_FILE: file };
    expect(sourceAddress('old', env)).toMatchObject({ password: 's3cret' });
    rmSync(file);
    expect(() => sourceAddress('old', env)).toThrow(
      /^CDS_IMPORT_REDIS_PASSWORD_FILE names a file that does not exist/,
    );
  });

  it('names a variable that does not fit', () => {
    const env = { CDS_IMPORT_REDIS_TLSCACERTFILE: '/no/such.pem' };
    expect(() => sourceAddress('rediss://old', env)).toThrow(
      /^CDS_IMPORT_REDIS_TLSCACERTFILE cannot be read: there is no such file\./,
    );
    expect(() => sourceAddress('old', env)).toThrow(/TLSCACERTFILE is for TLS, which is off/);
  });

  it('refuses a password where everybody could read it, without repeating it', () => {
    for (const text of [
      'redis://u:hunter2@old',
      'rediss://:hunter2@old',
      'redis://u:hunter2@a?b',
    ]) {
      expect(() => sourceAddress(text, {})).toThrow(
        /^--from takes no password.*CDS_IMPORT_REDIS_PASSWORD/,
      );
      expect(() => sourceAddress(text, {})).not.toThrow(/hunter2/);
    }
  });
});

describeShared('the recorded answers of the reference', (root) => {
  interface Recorded {
    uuid?: string;
    type?: string;
    executions?: Recorded[] | null;
    timestamp?: number;
  }
  const entries = JSON.parse(readFileSync(join(root, 'contract', 'api-to-hooks.json'), 'utf8')) as {
    request: { url: string };
    response: { status: number; body: unknown };
  }[];
  const bodies = entries
    .filter(({ response }) => response.status === 200)
    .flatMap(({ response }) => response.body as Recorded | Recorded[] | null)
    .filter((body): body is Recorded => body !== null && typeof body === 'object');
  const tasks = bodies.filter((body) => body.type !== undefined && 'executions' in body);
  const executions = [
    ...tasks.flatMap((task) => task.executions ?? []),
    ...bodies.filter((body) => body.timestamp !== undefined && body.type !== undefined),
  ];

  it('are tasks and executions that the import understands', () => {
    expect([tasks.length, executions.length].every((n) => n > 3)).toBe(true);
    for (const task of tasks) {
      expect(readRecord(referenceTask, JSON.stringify(task))).toMatchObject({ ok: true });
    }
    for (const one of executions) {
      expect(readRecord(referenceExecution, JSON.stringify(one))).toMatchObject({ ok: true });
    }
  });
});
