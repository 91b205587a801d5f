import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT_CONFIG, EXIT_USAGE } from '@cds/config';
import { findCommand } from './find-command.mjs';
import { read, root } from './repository.fixture';

const FOLDER = 'deploy/systemd';
const UNITS = readdirSync(join(root, FOLDER));
/** Of 100, where 0 is a service that can do no harm. */
const MAX_EXPOSURE = '20';

const analyze = findCommand('systemd-analyze');
const withSystemd = analyze === undefined ? it.skip : it;
const skipped = analyze === undefined ? ' (skipped: systemd-analyze is not installed)' : '';

/** The values of a setting, the later ones of several lines included. */
function settings(unit: string, name: string): string[] {
  return [...read(`${FOLDER}/${unit}`).matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(
    ([, value = '']) => value,
  );
}

describe.each(UNITS)('%s', (unit) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'units-'));
    // Units that are named have to be there.
    for (const each of UNITS) copyFileSync(join(root, FOLDER, each), join(folder, each));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]) =>
    spawnSync(analyze ?? '', [...args, join(folder, unit)], { encoding: 'utf8' });

  withSystemd(`is right to systemd${skipped}`, () => {
    const { status, stdout, stderr } = run('verify', '--man=no');
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  withSystemd(`is hardly exposed${skipped}`, () => {
    const { status, stderr } = run('security', '--offline=true', `--threshold=${MAX_EXPOSURE}`);
    // Versions before 250 look at running services alone.
    const isOld = /unrecognized option/.test(stderr);
    expect([isOld ? 0 : status, isOld ? '' : stderr]).toEqual([0, '']);
  });

  it('starts the engine with a file that it can read, and ends as the services do', () => {
    const [command = ''] = settings(unit, 'ExecStart');
    const [, services = ''] =
      /^\/usr\/bin\/env engine start ((?:vcs|hooks)(?: hooks)?) --config \$\{CREDENTIALS_DIRECTORY\}\/cds\.toml$/.exec(
        command,
      ) ?? [];
    expect(settings(unit, 'LoadCredential')).toEqual([
      expect.stringMatching(/^cds\.toml:\/etc\/cds\/\w+\.toml$/),
    ]);
    expect(unit).toBe(services.includes(' ') ? 'cds-bitbucket.service' : `cds-${services}.service`);
    expect(settings(unit, 'RestartPreventExitStatus')).toEqual([`${EXIT_USAGE} ${EXIT_CONFIG}`]);
    const [, longest] =
      /stopDelaySeconds: integer\(0, (\d+)\)/.exec(
        read('libs/config/src/keys/common-sections.ts'),
      ) ?? [];
    expect(Number(settings(unit, 'TimeoutStopSec')[0])).toBeGreaterThan(Number(longest) + 30);
  });

  it('may write nowhere and has no home', () => {
    expect(settings(unit, 'DynamicUser')).toEqual(['yes']);
    expect(settings(unit, 'ProtectSystem')).toEqual(['strict']);
    expect(settings(unit, 'ProtectHome')).toEqual(['yes']);
    expect(settings(unit, 'User|StateDirectory|ReadWritePaths')).toEqual([]);
    expect(read('docs/operator-guide.md')).toContain(unit);
  });
});
