import type { LogLevel } from '@cds/config';
import { createLogger } from './create-logger';

function capture(level: LogLevel = 'debug') {
  const texts: string[] = [];
  const logger = createLogger({
    service: 'vcs',
    level,
    destination: { write: (text: string) => void texts.push(text) },
  });
  return { logger, texts, last: () => JSON.parse(texts.at(-1) ?? 'null') };
}

describe('createLogger', () => {
  it('writes lines of JSON with the names of CDS', () => {
    const { logger, last } = capture();
    logger.warn({ port: 8084 }, 'Hello');
    expect(last()).toEqual({
      level: 'warning',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      service: 'vcs',
      port: 8084,
      msg: 'Hello',
    });
  });

  it.each<[LogLevel, number]>([
    ['debug', 4],
    ['info', 3],
    ['warning', 2],
    ['error', 1],
  ])('at level %s writes %d of the four', (level, count) => {
    const { logger, texts } = capture(level);
    logger.debug('d');
    logger.info('i');
    logger.warn('w');
    logger.error('e');
    expect(texts).toHaveLength(count);
  });

  it('hides secrets by name, however deep', () => {
    const { logger, texts } = capture();
    logger.info(
      {
        token: 'SECRET-1',
        config: { api: { token: 'SECRET-2' }, servers: [{ clientSecret: 'SECRET-3' }] },
        redis: { password: 'SECRET-4' },
        vcs: { webhookKey: 'SECRET-17' },
        hooks: { webhookKeys: ['SECRET-18'], previousWebhookKeys: ['SECRET-19'] },
        headers: {
          Authorization: 'SECRET-5',
          X_AUTH_HEADER: 'SECRET-6',
          'x-cds-access-token': 'SECRET-7',
          'X-CDS-ACCESS-TOKEN-SECRET': 'SECRET-8',
          cookie: 'SECRET-9',
        },
        grant: { accessToken: 'SECRET-10', refresh_token: 'SECRET-11' },
        body: Buffer.from('SECRET-12'),
        note: 'sent Bearer SECRET-13 to https://user:SECRET-14@host/?access_token=SECRET-15&a=1',
        a: { b: { c: { d: { e: { f: { g: { h: 'SECRET-16' } } } } } } },
        kept: { tokens: 3, name: 'bitbucketcloud', list: [1, null, 'x'] },
      },
      'Nothing to see',
    );
    expect(texts[0]).not.toMatch(/SECRET-\d/);
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({
      token: '[redacted]',
      body: '[9 bytes]',
      kept: { tokens: 3, name: 'bitbucketcloud', list: [1, null, 'x'] },
    });
  });

  it('hides what looks like a token of Bitbucket wherever it stands, and leaves hashes and paths', () => {
    const { logger, texts, last } = capture();
    const token = `${'aZ09_-'.repeat(450)}SECRET`;
    const hash = 'a1'.repeat(64);
    const path = '/deep/folder'.repeat(30);
    logger.info({ error: `refused: ${token} is dead`, hash, path }, 'Oh');
    expect(texts[0]).not.toMatch(/aZ09|SECRET/);
    expect(last()).toMatchObject({ error: 'refused: [redacted] is dead', hash, path });
  });

  it('hides secrets of child loggers', () => {
    const { logger, texts } = capture();
    logger.child({ token: 'SECRET', repository: 'team/repo' }).info('Hello');
    expect(texts[0]).not.toContain('SECRET');
    expect(texts[0]).toContain('team/repo');
  });

  it('keeps of an error what helps, and not what libraries hang on it', () => {
    const { logger, texts, last } = capture();
    const cause = Object.assign(new Error('WRONGPASS'), {
      command: { name: 'auth', args: ['default', 'SECRET'] },
    });
    const error = Object.assign(new TypeError('it failed', { cause }), {
      code: 'ECONNRESET',
      status: 503,
      token: 'SECRET',
      config: { headers: { anything: 'SECRET' } },
    });
    for (const write of [() => logger.error({ err: error }, 'Oh'), () => logger.error(error)]) {
      write();
      expect(texts.at(-1)).not.toContain('SECRET');
      expect(last().err).toMatchObject({
        type: 'TypeError',
        message: 'it failed',
        stack: expect.stringContaining('create-logger.spec'),
        code: 'ECONNRESET',
        status: 503,
        cause: { message: 'WRONGPASS' },
      });
    }
  });

  it('survives what refers to itself, dates and URLs', () => {
    const { logger, last } = capture();
    const loop: Record<string, unknown> = { at: new Date(0), url: new URL('http://x/') };
    loop['loop'] = loop;
    logger.info({ loop }, 'Round');
    expect(last().loop).toMatchObject({ at: '1970-01-01T00:00:00.000Z', url: 'http://x/' });
  });
});
