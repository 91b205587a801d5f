import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Script } from '@cds/redis';
import { startTestRedis, type TestRedis } from '@cds/testing';
import { Redis } from 'ioredis';

type AnyScript = Pick<Script<string, string, string, unknown>, 'lua'>;

function isScript(value: unknown): value is AnyScript {
  return typeof value === 'object' && value !== null && 'lua' in value && 'on' in value;
}

describe('the scripts of hooks', () => {
  const files = readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /(?<!\.spec)\.ts$/.test(file),
  );
  let server: TestRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await startTestRedis();
    redis = new Redis(server.port, server.host);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('name their keys and arguments, and no place of them', () => {
    const slots = files.flatMap(
      (file) => readFileSync(join(__dirname, file), 'utf8').match(/\b(KEYS|ARGV)\[\d+\]/g) ?? [],
    );
    expect(slots).toEqual([]);
  });

  it('have one name each', () => {
    const names = files.flatMap((file) =>
      [...readFileSync(join(__dirname, file), 'utf8').matchAll(/name: '(cdsbb\w+)'/g)].map(
        ([, name]) => name,
      ),
    );
    expect(names.length).toBeGreaterThan(30);
    expect(new Set(names).size).toBe(names.length);
  });

  it('are Lua that Redis can read', async () => {
    const modules = files.filter((file) => file.endsWith('.lua.ts'));
    const exported = await Promise.all(
      modules.map(async (file) => Object.values((await import(join(__dirname, file))) as object)),
    );
    const scripts = exported.flat().filter(isScript);
    expect(scripts.length).toBeGreaterThan(30);
    for (const { lua } of scripts) await redis.script('LOAD', lua);
  });
});
