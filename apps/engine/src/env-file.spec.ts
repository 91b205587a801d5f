import { execFileSync } from 'node:child_process';
import { printEnv } from '@cds/config';
import { envFileOf } from './env-file';

type Variables = Record<string, string>;

/** What a shell makes of the exports. */
function inShell(exports: string): Variables {
  const out = execFileSync('sh', ['-c', `${exports}\nexec env -0`], { env: {}, encoding: 'utf8' });
  const lines = out.split('\0').filter((line) => line.startsWith('CDS_'));
  return Object.fromEntries(lines.map((line) => splitAt(line, line.indexOf('='))));
}

const splitAt = (line: string, at: number): [string, string] => [
  line.slice(0, at),
  line.slice(at + 1),
];

/** As `docker --env-file` reads: the value is all after the first `=`. */
function inDocker(text: string): Variables {
  const read: Variables = {};
  for (const line of text.split('\n').map((each) => each.replace(/\r$/, '').trimStart())) {
    if (line === '' || line.startsWith('#')) continue;
    const [name, value] = splitAt(line, line.indexOf('='));
    // Docker refuses such a file; without `=` it takes the value from its own environment.
    if (name === '' || /\s/.test(name) || !line.includes('='))
      throw new Error(`docker: poorly formatted environment: ${line}`);
    read[name] = value;
  }
  return read;
}

/** As `EnvironmentFile=` of systemd reads, sign by sign. */
function inSystemd(text: string): Variables {
  const read: Variables = {};
  let rest = text;
  while (rest !== '') {
    const line = /^[ \t]*(?:[#;][^\n]*)?\n/.exec(rest);
    if (line) {
      rest = rest.slice(line[0].length);
      continue;
    }
    const [head, name = ''] = /^[ \t]*([^=\n]*)=[ \t]*/.exec(rest) ?? [];
    if (head === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new Error(`systemd: ignored: ${rest.slice(0, 40)}`);
    rest = rest.slice(head.length);
    let value = '';
    let kept = 0;
    let quote = '';
    let isStart = true;
    let at = 0;
    for (; at < rest.length; at++) {
      const sign = rest[at] ?? '';
      if (quote === '' && sign === '\n') break;
      if (quote !== '' && sign === quote) {
        quote = '';
        isStart = true;
      } else if (quote === '' && isStart && (sign === '"' || sign === "'")) quote = sign;
      else if (sign === '\\' && quote !== "'") {
        at += 1;
        if (rest[at] !== '\n') value += rest[at] ?? '';
        isStart = false;
      } else {
        value += sign;
        isStart = false;
      }
      if (quote !== '' || !/[ \t]/.test(sign)) kept = value.length;
    }
    read[name] = value.slice(0, kept);
    rest = rest.slice(at + 1);
  }
  return read;
}

it('is read by Docker and by systemd as a shell reads the exports', () => {
  const values = {
    'vcs.name': 'cds-vcs-keen_poincaré',
    'vcs.api.token': 'a.b-c_d==',
    'hooks.api.token': '$HOME `id` #1 ; "quoted" it\'s = x',
    'vcs.webhookKey': 'f'.repeat(64),
  };
  for (const cds of ['0.41', '0.57']) {
    const exports = printEnv({ services: ['vcs', 'hooks'], cds, values });
    const { text, left } = envFileOf(exports);

    expect(left).toEqual([]);
    expect(text).not.toMatch(/^export|="/m);
    const wanted = inShell(exports);
    expect(Object.keys(wanted).length).toBeGreaterThan(40);
    expect(wanted.CDS_HOOKS_API_TOKEN).toBe(values['hooks.api.token']);
    expect(inDocker(text)).toEqual(wanted);
    expect(inSystemd(text)).toEqual(wanted);
  }
});

it.each([
  ['a backslash', '"a\\\\b"'],
  ['a quote at its beginning', '"\\"a\\""'],
  ['another one', '"\'a\'"'],
  ['several lines', '"-----BEGIN\nEND-----\n"'],
  ['spaces around it', '" a "'],
])('leaves out a value with %s, which they read differently', (_, quoted) => {
  const { text, left } = envFileOf(`export CDS_A=${quoted}\nexport CDS_B="b"\n`);
  expect({ text, left }).toEqual({ text: 'CDS_B=b\n', left: ['CDS_A'] });
  const [, written = ''] = /^export CDS_A="([^]*)"\nexport/.exec(
    `export CDS_A=${quoted}\nexport`,
  ) ?? [''];
  const plain = `CDS_A=${written.replace(/\\(["\\])/g, '$1')}\n`;
  const readings = [inDocker, inSystemd].map((read) => {
    try {
      return read(plain).CDS_A;
    } catch {
      return undefined;
    }
  });
  expect(readings[0] === readings[1] && readings[0] !== undefined).toBe(false);
});
