import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundlePrograms, startProcess, type RunningProcess } from '@cds/testing';
import { runProgram } from '../src/program';

export interface Engine {
  /** Where the bundle is. */
  home: string;
  /** An empty folder for files of a test. */
  folder(): string;
  /** Runs a command to its end. */
  run(
    args: string[],
    env?: NodeJS.ProcessEnv,
    cwd?: string,
  ): { code: number | null; out: string; err: string };
  /** The same within this process, which costs a tenth of it. */
  call(
    args: string[],
    env?: NodeJS.ProcessEnv,
  ): Promise<{ code: number; out: string; err: string }>;
  start(args: string[], env?: NodeJS.ProcessEnv): Promise<RunningProcess>;
  remove(): void;
}

/** PATH with no engine on it. */
export const PLAIN_PATH = '/usr/bin:/bin';

/**
 * A service in place of the real one: says what it was started with, and ends with the code in the
 * file END_NAME.
 */
const FAKE_SERVICE = `
const name = require('node:path').basename(__dirname);
setInterval(() => {}, 1000);
const end = process.env['END_' + name.toUpperCase()];
if (end) setInterval(() => {
  let code = '';
  try { code = require('node:fs').readFileSync(end, 'utf8'); } catch {}
  if (code) process.exit(Number(code)); // a file is empty before it is written
}, 20);
let signals = 0;
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => {
  console.log(name + ' got ' + signal + ' ' + ++signals);
  setTimeout(() => { console.log(name + ' finished what was under way'); process.exit(0); }, 200);
});
const orphan = process.env.ORPHAN;
if (orphan && process.env.CDS_BITBUCKET_SUPERVISED) process.stdin.resume().on('end', () => {
  require('node:fs').writeFileSync(orphan, name);
  process.exit(0);
});
const flood = process.env.FLOOD;
if (flood && name === 'hooks') {
  const fill = () => {
    if (process.stdout.bytesWritten > 32 * 1024 * 1024) return require('node:fs').writeFileSync(flood, '');
    process.stdout.write('x'.repeat(1023) + '\\n', fill);
  };
  fill();
}
console.error(name + ' warns');
console.log(name + ' started with ' + process.argv.slice(2).join(' '));
console.log(name + ' has pid ' + process.pid);
`;

/**
 * Bundles the command as the build does once a process of it is started, with services beside it
 * that only play theirs.
 */
export function bundleEngine(): Engine {
  const root = mkdtempSync(join(tmpdir(), 'cds-engine-'));
  const home = join(root, 'installed');
  const main = join(home, 'main.js');
  const bundled = (): string => {
    if (!existsSync(main)) bundlePrograms({ main: 'apps/engine/src/main.ts' }, home);
    return main;
  };
  for (const service of ['vcs', 'hooks']) {
    mkdirSync(join(home, 'services', service), { recursive: true });
    writeFileSync(join(home, 'services', service, 'main.js'), FAKE_SERVICE);
  }
  let folders = 0;
  const environment = (env: NodeJS.ProcessEnv) => ({ PATH: PLAIN_PATH, ...env });
  return {
    get home() {
      bundled();
      return home;
    },
    folder() {
      const folder = join(root, `folder-${++folders}`);
      mkdirSync(folder);
      return folder;
    },
    run(args, env = {}, cwd = root) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [bundled(), ...args], {
        env: environment(env),
        encoding: 'utf8',
        timeout: 120_000,
        cwd,
      });
      return { code: status, out: stdout, err: stderr };
    },
    async call(args, env = {}) {
      let out = '';
      let err = '';
      const code = await runProgram(args, {
        env: environment(env),
        out: (text) => (out += text),
        say: (sentence) => (err += `${sentence}\n`),
        ask: undefined,
        home,
        ownFiles: [main],
      });
      return { code, out, err };
    },
    start: (args, env = {}) =>
      startProcess({
        command: process.execPath,
        args: [bundled(), ...args],
        env: environment(env),
      }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Writes an executable script and returns its path. */
export function writeScript(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

/**
 * The engine of CDS, played by a shell script: prints the section of an API, or starts one that
 * listens on `port` after a while.
 */
export function fakeCdsEngine(path: string, port = 0): string {
  const api = `
    const server = require('node:http').createServer((request, response) => {
      console.log('api answers ' + request.url);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ pid: process.pid }));
    });
    console.log('api migrates');
    setTimeout(() => server.listen(${port}, '127.0.0.1', () => console.log('api listens')), 700);
  `;
  writeFileSync(`${path}.api.js`, api);
  return writeScript(
    path,
    `#!/bin/sh
case "$1 $2 $3 $4" in
"config new api --env") echo 'export CDS_API_AUTH_SHAREDINFRATOKEN="token-of-cds"'; echo 'export CDS_LOG_LEVEL="info"';;
"config new api ") printf '[api]\\n  [api.auth]\\n    sharedInfraToken = "token-of-cds"\\n[log]\\n  level = "info"\\n';;
"start api --config $4") echo "cds engine was called with $*"; "${process.execPath}" "${path}.api.js";;
*) echo "unexpected: $*" >&2; exit 9;;
esac
`,
  );
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A token as CDS 0.44 and later make one; nobody signed it. */
const consumerToken = (service: string) =>
  `${encode({ alg: 'PS512' })}.${encode({ type: 'signinBuiltinConsumerToken', data: { consumer_id: service } })}.c2ln`;
/** The tokens that {@link fakeCurrentCdsEngine} prints. */
export const CONSUMER_TOKENS = { vcs: consumerToken('vcs'), hooks: consumerToken('hooks') };

/**
 * The engine of a current CDS, played by a shell script: prints its API alone, and the API with
 * consumers of both services.
 *
 * @param version what it says of itself; a snapshot when not given
 */
export function fakeCurrentCdsEngine(path: string, version = 'snapshot'): string {
  const service = (name: 'vcs' | 'hooks') => `
#####################
# Settings of ${name}
#####################
[${name}]
  # CDS made it up
  name = "cds-${name}-keen_poincaré"
  repositoryWebHookKey = "of CDS"

  [${name}.api]
    token = "${CONSUMER_TOKENS[name]}"
`;
  const api = `[api]
  name = "cds-api"
  [[api.auth.rsaPrivateKeys]]
    key = "-----BEGIN-----\\n[vcs]\\n-----END-----\\n"
  [api.vcs]
    [api.vcs.gpgKeys]
`;
  const log = `
# Settings of the log
[log]
  format = ""
`;
  const firstLogin =
    '\n# On first login, you will be asked to enter the following token:\n# a.b.c\n';
  const variables = ['vcs', 'hooks'] as const;
  const lines = variables
    .map(
      (name) =>
        `export CDS_${name.toUpperCase()}_API_TOKEN="${CONSUMER_TOKENS[name]}"\nexport CDS_${name.toUpperCase()}_NAME="cds-${name}-keen_poincaré"`,
    )
    .join('\n');
  writeFileSync(`${path}.api.toml`, `${api}${log}${firstLogin}`);
  writeFileSync(`${path}.toml`, `${api}${service('hooks')}${log}${service('vcs')}${firstLogin}`);
  writeFileSync(`${path}.api.env`, `export CDS_API_NAME="cds-api"\nexport CDS_VCS=""\n`);
  writeFileSync(
    `${path}.env`,
    `export CDS_API_NAME="cds-api"\nexport CDS_CDN=""\n${lines}\n${firstLogin}`,
  );
  return writeScript(
    path,
    `#!/bin/sh
case "$*" in
version) echo 'CDS engine version:${version} os:linux architecture:amd64 git.hash: build.time: db.migrate:0';;
"config new api") cat '${path}.api.toml';;
"config new api hooks vcs") cat '${path}.toml';;
"config new api --env") cat '${path}.api.env';;
"config new api hooks vcs --env") cat '${path}.env';;
*) echo "unexpected: $*" >&2; exit 9;;
esac
`,
  );
}

/** A configuration that is ready to start with. */
export function readyConfig(
  o: { apiUrl?: string; redisPort?: number; more?: string; redis?: string } = {},
): string {
  const service = (name: string) => `
[${name}]
name = "my-${name}"
[${name}.api]
token = "hunter2"
[${name}.api.http]
url = "${o.apiUrl ?? 'http://localhost:8081'}"
[${name}.cache.redis]
host = "127.0.0.1:${o.redisPort ?? 6379}"
${o.redis === undefined ? '' : `${o.redis}\n`}`;
  return `${service('vcs')}
[vcs.servers.bitbucketcloud.bitbucketcloud]
clientId = "id"
clientSecret = "hunter3"
${o.more ?? ''}
${service('hooks')}
[hooks.branchDeletion]
delay = 60
`;
}
