import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConfigProblem,
  checkConfigText,
  formatProblem,
  ConfigError,
  loadConfig,
  printConfig,
  readConfigFiles,
  type ServiceName,
} from './index';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cds-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const VCS = `[vcs]
name = "cds-vcs"
[vcs.api]
token = "t"
[vcs.servers.bitbucketcloud.bitbucketcloud]
clientId = "id"
clientSecret = "secret"
`;
const HOOKS = `[hooks]
name = "cds-hooks"
urlPublic = "https://hooks.example"
[hooks.api]
token = "t"
`;

function problemsOf(
  services: readonly ServiceName[],
  files: string[],
  env: NodeJS.ProcessEnv = {},
): ConfigProblem[] {
  try {
    return loadConfig({ services, files, env }).warnings;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('several configuration files', () => {
  it('are one configuration', () => {
    const files = [write('vcs.toml', VCS), write('hooks.toml', HOOKS)];

    const { vcs, hooks, warnings } = loadConfig({ services: ['vcs', 'hooks'], files, env: {} });

    expect(warnings).toEqual([]);
    expect([vcs?.name, hooks?.name]).toEqual(['cds-vcs', 'cds-hooks']);
    expect(loadConfig({ services: ['vcs'], files, env: {} }).vcs?.name).toBe('cds-vcs');
  });

  it('may hold the same [log], as `config new vcs` and `config new hooks` print it', () => {
    const texts = (['vcs', 'hooks'] as const).map((service) => ({
      path: `${service}.toml`,
      text: printConfig({ services: [service] })
        .replace('name = ""', `name = "${service}"`)
        .replaceAll('"xxxxx"', '"filled-in"'),
    }));

    expect(texts.every(({ text }) => text.includes('[log]'))).toBe(true);
    expect(checkConfigText(texts).filter(({ key }) => key.startsWith('log'))).toEqual([]);
  });

  it('count in their order, with a warning where two of them differ', () => {
    const first = write('first.toml', `${VCS}[log]\nlevel = "debug"\n`);
    const second = write('second.toml', '[VCS]\nName = "other"\n[log]\nlevel = "debug"\n');

    expect(loadConfig({ services: ['vcs'], files: [first, second], env: {} }).vcs).toMatchObject({
      name: 'other',
      log: { level: 'debug' },
    });
    expect(problemsOf(['vcs'], [first, second]).map(formatProblem)).toEqual([
      `warning: ${second}: line 2: VCS.Name: has another value in ${first}, line 2: this one counts; remove the other`,
    ]);
    expect(loadConfig({ services: ['vcs'], files: [second, first], env: {} }).vcs?.name).toBe(
      'cds-vcs',
    );
  });

  it('are named with what is wrong in them, in their order', () => {
    const files = [
      write('a.toml', VCS.replace('"t"', '7').replace('name', 'nmae')),
      write('b.toml', `${HOOKS}[hooks.http]\nport = "x"\n`),
    ];

    const said = problemsOf(['vcs', 'hooks'], files).map(formatProblem);

    expect(said.map((sentence) => sentence.replace('warning: ', '').split(':')[0])).toEqual([
      files[0],
      files[0],
      files[0],
      files[1],
      'hooks.webhookKey',
    ]);
    expect(said[3]).toContain(`${files[1]}: line 7: hooks.http.port: must be`);
  });

  it('are refused when one of them is not TOML or is missing, which is named', () => {
    const good = write('good.toml', VCS);
    const bad = write('bad.toml', 'this is none');

    expect(problemsOf(['vcs'], [good, bad]).map(formatProblem)).toEqual([
      expect.stringContaining(`${bad}: line 1: column`),
    ]);
    expect(problemsOf(['vcs'], [good, '/no/such/file'])[0]?.message).toContain('/no/such/file');
  });

  it('are read once where one is named twice', () => {
    const file = write('twice.toml', VCS);
    expect(readConfigFiles([file, file])).toEqual([{ text: VCS }]);
  });
});

describe('one name for two services', () => {
  const same = HOOKS.replace('cds-hooks', 'cds-vcs');
  const refusal = (place: string) =>
    expect.stringMatching(
      new RegExp(`${place}: is the name of \\[vcs\\], too .*one service for each name`),
    );
  const errorsOf = (...args: Parameters<typeof problemsOf>) =>
    problemsOf(...args)
      .filter(({ level }) => level === 'error')
      .map(formatProblem);

  it.each([[['vcs', 'hooks']], [['vcs']], [['hooks']]] as const)(
    'is refused in one file and across two, whichever is read: %j',
    (services) => {
      const one = write('one.toml', `${VCS}${same}`);
      const two = [write('two-vcs.toml', VCS), write('two-hooks.toml', same)];

      expect(errorsOf(services, [one])).toEqual([refusal('line 9: hooks\\.name')]);
      expect(errorsOf(services, two)).toEqual([refusal('line 2: hooks\\.name')]);
      expect(checkConfigText(`${VCS}${same}`).map(formatProblem)).toContainEqual(
        refusal('hooks\\.name'),
      );
    },
  );

  it('is refused from the environment, and where a variable makes the same of them', () => {
    const file = write('env.toml', `${VCS}${HOOKS}`);

    expect(errorsOf(['vcs', 'hooks'], [file], { CDS_HOOKS_NAME: 'cds-vcs' })).toEqual([
      refusal('CDS_HOOKS_NAME'),
    ]);
    expect(errorsOf(['hooks'], [file], { CDS_VCS_NAME: 'x', CDS_HOOKS_NAME: 'x' })).toEqual([
      refusal('CDS_HOOKS_NAME'),
    ]);
    expect(
      errorsOf(['hooks'], [write('same.toml', `${VCS}${same}`)], { CDS_VCS_NAME: 'x' }),
    ).toEqual([]);
  });

  it('is two names where the case differs, as for the API', () => {
    const file = write('case.toml', `${VCS}${HOOKS.replace('cds-hooks', 'CDS-VCS')}`);
    expect(errorsOf(['vcs', 'hooks'], [file])).toEqual([]);
  });

  it('is not said of names that are still to be filled in', () => {
    const file = write('empty.toml', `${VCS}${HOOKS}`.replaceAll(/name = ".*"/g, 'name = ""'));
    expect(errorsOf(['vcs', 'hooks'], [file]).join()).not.toContain('is the name of');
  });

  it('is worth a warning where a service of CDS itself has it', () => {
    const file = write('cds.toml', `${VCS}${HOOKS}[repositories]\nname = "cds-hooks"\n`);
    expect(problemsOf(['vcs', 'hooks'], [file]).map(formatProblem)).toEqual([
      expect.stringMatching(/^warning: line 9: hooks\.name: is the name of \[repositories\], too/),
    ]);
  });
});
