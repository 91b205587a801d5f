import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where one run of the sandbox keeps its configuration, its log and its Redis. */
export interface RunFolder {
  path: string;
  redis: string;
  config: string;
  log: string;
  remove(): void;
}

/**
 * A folder for this process below `.sandbox`, so that two runs do not meet. What runs that are no
 * more have left behind is removed, and a Redis that outlived its run is ended.
 */
export function createRunFolder(root: string, pid = process.pid): RunFolder {
  const parent = join(root, '.sandbox');
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) removeIfOver(join(parent, name));
  const path = join(parent, `run-${pid}`);
  mkdirSync(join(path, 'redis'), { recursive: true });
  return {
    path,
    redis: join(path, 'redis'),
    config: join(path, 'config.toml'),
    log: join(path, 'services.log'),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

function removeIfOver(folder: string): void {
  const [, pid] = /run-(\d+)$/.exec(folder) ?? [];
  if (pid === undefined || isAlive(Number(pid))) return;
  const pidFile = join(folder, 'redis', 'redis.pid');
  const redis = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0;
  if (redis > 0 && isRedisIn(redis, folder)) process.kill(redis, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Process ids are used again: this one must be working in that very folder. Known on Linux only.
 */
function isRedisIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === join(folder, 'redis');
  } catch {
    return false;
  }
}
