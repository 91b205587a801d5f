import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const env = { ...process.env };

/** What a command of podman printed. @throws Error with what it complained of */
export function podman(...args: string[]): string {
  const { status, stdout, stderr } = tried(...args);
  if (status !== 0) throw new Error(`podman ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** The same where it may fail. */
export function tried(...args: string[]) {
  return spawnSync('podman', args, { encoding: 'utf8', env });
}

export interface ImageConfig {
  User: string;
  Env: string[];
  Entrypoint: string[];
  Labels: Record<string, string>;
  ExposedPorts: Record<string, object>;
  StopSignal: string;
}

/** Times are in nanoseconds. */
export interface HealthCheck {
  Test: string[];
  Interval: number;
  Timeout: number;
}

/** Its configuration, its size in bytes, and where its files are. */
export function inspectImage(image: string) {
  const [inspected] = JSON.parse(podman('image', 'inspect', image)) as [
    {
      Config: ImageConfig;
      Healthcheck?: HealthCheck;
      Size: number;
      RootFS: { Layers: string[] };
    },
  ];
  return {
    config: inspected.Config,
    healthCheck: inspected.Healthcheck,
    size: inspected.Size,
    layers: inspected.RootFS.Layers.length,
    folder: podman('image', 'mount', image),
  };
}

export interface ImageFile {
  path: string;
  isDirectory: boolean;
}

/** All files under a folder, whatever they are, by their paths in it. */
export function filesIn(folder: string): ImageFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => ({
    path: join(entry.parentPath, entry.name).slice(folder.length),
    isDirectory: entry.isDirectory(),
  }));
}

/** Nanoseconds that a container's processes were busy, those that ended included. */
export const cpuTimeOf = (container: string): number =>
  Number(podman('stats', '--no-stream', '--format', '{{.CPUNano}}', container));
