import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { waitFor } from '@cds/testing';
import { bundleEngine, type Engine } from '../../test/engine.fixture';

let engine: Engine;
let folder: string;

beforeAll(async () => {
  engine = bundleEngine();
  folder = engine.folder();
  mkdirSync(join(folder, 'conf.d'));
  for (const name of ['cds one.toml', 'cds-two.toml', 'other.txt'])
    writeFileSync(join(folder, name), '');
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(join(folder, `${shell}.sh`), (await engine.call(['completion', shell])).out);
});
afterAll(() => engine.remove());

const SCRIPT = '/usr/bin/script';
const isOnPath = (name: string) =>
  (process.env.PATH ?? '').split(delimiter).some((each) => existsSync(join(each, name)));
const COMMANDS = ['completion', 'config', 'doctor', 'help', 'hooks', 'start', 'vcs', 'version'];
const REMOTE = ['--remote-config', '--remote-config-key', '--vault-addr', '--vault-token'];
const FILES = ['cds one.toml', 'cds-two.toml'];

/** What is offered after a line, in every shell. */
const CASES: [string, string[]][] = [
  ['engine ', COMMANDS],
  ['engine ho', ['hooks']],
  ['engine hooks dead-letters ', ['drop', 'help', 'list', 'retry']],
  ['engine hooks dead-letters drop --a', ['--all']],
  ['engine hooks dead-letters drop --y', ['--yes']],
  ['engine hooks dead-letters list --v', ['--vault-addr', '--vault-token']],
  ['engine config new ', ['api', 'hooks', 'vcs']],
  ['engine config new vcs h', ['hooks']],
  ['engine config new --fo', ['--format']],
  ['engine config new --e', ['--env']],
  ['engine start v', ['vcs']],
  ['engine start --config cds', FILES],
  ['engine start --config cds-two.toml hooks v', ['vcs']],
  ['engine start vcs --remote', ['--remote-config', '--remote-config-key']],
  ['engine config check cds', FILES],
  ['engine hooks why --limit hooks --br', ['--branch']],
  ['engine completion ', ['bash', 'fish', 'zsh']],
  ['engine nonsense ho', ['hooks']],
  ['engine hooks tasks list --nonsense', []],
];

it('has each command of the help, with its options', async () => {
  const { out } = await engine.call(['completion', 'bash']);
  expect(out).toMatch(/'engine hooks tasks list'\) .*--config --json --limit --workflow/);
  expect(REMOTE.every((name) => out.includes(name))).toBe(true);
  expect(await engine.call(['completion', 'tcsh'])).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/Allowed choices are bash, zsh, fish/),
  });
});

function inShell(shell: string, args: string[]): { out: string; err: string } {
  const { stdout, stderr } = spawnSync(shell, args, {
    ...{ cwd: folder, encoding: 'utf8', timeout: 120_000 },
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder },
  });
  return { out: stdout, err: stderr };
}

/** In real shells; a title says which is not there. */
function describeIn(shell: string, tests: () => void): void {
  if (isOnPath(shell)) describe(`in ${shell}`, tests);
  else it.skip(`in ${shell}: skipped: there is no ${shell} on PATH`, tests);
}

const offeredBy = ({ out }: { out: string }, last = '') =>
  out
    .split('\n')
    .filter((each) => each !== '' && each.startsWith(last))
    .sort();

const KEYS = 'engine hooks dead-letters dr\t';
const TYPED = 'engine hooks dead-letters drop';

/** Types at a terminal until the shell has completed what was typed. */
async function typed(command: string, script: string, keys: string, completed: string) {
  const child = spawn(SCRIPT, ['-qfec', command, '/dev/null'], {
    cwd: folder,
    // bash would write its history into the folder while that is removed.
    env: { PATH: process.env.PATH, HOME: folder, TERM: 'dumb', SHELL: '/bin/sh', HISTFILE: '' },
  });
  const closed = once(child, 'close');
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  try {
    child.stdin.write(`${script}; echo LOAD''ED\r`);
    await waitFor(() => shown.includes('LOADED') || undefined, { what: 'the completion' });
    child.stdin.write(keys);
    await waitFor(() => shown.includes(completed) || undefined, { what: completed });
  } finally {
    child.kill('SIGKILL');
    await closed;
  }
}
const itAtTerminal = existsSync(SCRIPT) ? it : it.skip;

describeIn('bash', () => {
  /** As readline splits a line: at spaces and `=`. */
  const completed = (line: string) => {
    const words = line.split(/(=)| /).filter((each) => each !== undefined);
    const array = words.map((word) => `'${word}'`).join(' ');
    const set = `COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}`;
    return inShell('bash', [
      ...['--norc', '-c', `source bash.sh; ${set}; _engine; printf '%s\\n' "\${COMPREPLY[@]}"`],
    ]);
  };
  const EQUALS: [string, string[]][] = [
    ['engine start --config=cds', FILES],
    ['engine start --config=cds-two.toml hooks v', ['vcs']],
    ['engine hooks why --limit=5 --br', ['--branch']],
  ];

  it.each([...CASES, ...EQUALS])('completes %j', (line, offered) => {
    const reply = completed(line);
    expect({ ...reply, out: offeredBy(reply) }).toEqual({ out: offered, err: '' });
  });

  itAtTerminal('completes what is typed at a terminal', async () => {
    await typed('bash --norc -i', 'source bash.sh', KEYS, TYPED);
  });
});

describeIn('zsh', () => {
  /** What the widgets of zsh would be given. */
  const WIDGETS = `
    compdef() { : }
    compset() { [[ $PREFIX == \${2//\\*}* ]] && PREFIX=\${PREFIX#$2} }
    _describe() { [[ $1 == -o ]] && shift; print -l -- \${\${(P)2}%%:*} }
    _files() { print -l -- *(N) }`;
  const EQUALS: [string, string[]][] = [['engine start --config=cds', FILES]];

  it.each([...CASES, ...EQUALS])('completes %j', (line, offered) => {
    const words = line.split(' ');
    const last = words.at(-1) ?? '';
    const array = words.map((word) => `'${word}'`).join(' ');
    const set = `words=(${array}); CURRENT=${words.length}; PREFIX='${last}'`;
    const reply = inShell('zsh', [
      '-f',
      '-c',
      `${WIDGETS}\nsource ./zsh.sh; ${set}; _engine; true`,
    ]);
    const prefix = last.replace(/^--config=/, '');
    expect({ ...reply, out: offeredBy(reply, prefix) }).toEqual({ out: offered, err: '' });
  });

  itAtTerminal('completes what is typed at a terminal', async () => {
    const load = 'autoload -Uz compinit && compinit -u -D && source ./zsh.sh';
    await typed('zsh -f -i', load, KEYS, TYPED);
  });
});

describeIn('fish', () => {
  const EQUALS: [string, string[]][] = [
    ['engine start --config=cds', FILES.map((name) => `--config=${name}`)],
  ];

  it.each([...CASES, ...EQUALS])('completes %j', (line, offered) => {
    const { out, err } = inShell('fish', [
      ...['--no-config', '-c', `source fish.sh; complete -C '${line}'`],
    ]);
    const names = out.replaceAll(/\t.*$/gm, '').replaceAll('\\ ', ' ');
    expect({ out: offeredBy({ out: names }), err }).toEqual({ out: offered, err: '' });
  });
});
