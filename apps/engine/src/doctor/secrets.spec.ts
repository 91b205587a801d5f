import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatJson } from '../print';
import { fileRights } from './checks/configuration';
import { formatFinding, hideSecrets } from './print-findings';

describe('a finding', () => {
  const finding = { id: 'redis', subject: '', status: 'failed' as const };

  it.each(['with "quotes"', 'with \\ and \t', 'with\na second line'])(
    'hides a secret %j in JSON and in lines',
    (secret) => {
      const hidden = hideSecrets({ ...finding, message: secret, fix: `not ${secret}` }, [secret]);
      expect(formatJson(hidden)).toBe(formatJson({ ...finding, message: '***', fix: 'not ***' }));
      expect(formatFinding(hidden)).toBe('✘ redis: ***\n    not ***\n');
    },
  );

  it('leaves nothing of a secret that begins with another', () => {
    const secrets = ['secret', 'secret-of-all'];
    expect(hideSecrets({ ...finding, message: 'a secret-of-all' }, secrets).message).toBe('a ***');
  });
});

(process.platform === 'win32' ? describe.skip : describe)('a file that all may read', () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'doctor-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  const redis = '[hooks.cache.redis]\n';
  it.each([
    [`${redis}host = "redis://:the-password@redis:6379"`, 'warning'],
    [`${redis}host = "m@s:26379,t:26379"\nsentinelPassword = "the-password"`, 'warning'],
    ['[hooks.ui]\npassword = "the-password"', 'warning'],
    [`[api.database]\npassword = "the-password"`, 'warning'],
    [`${redis}host = "redis:6379"`, undefined],
  ])('with %j is a %s', async (text, status) => {
    const file = join(folder, 'cds.toml');
    writeFileSync(file, `[hooks]\nname = "h"\n${text}\n`);
    chmodSync(file, 0o644);
    const outcomes = await fileRights([file], undefined).run(new AbortController().signal);
    expect([outcomes].flat().map((each) => each.status)).toEqual(status ? [status] : []);
  });
});
