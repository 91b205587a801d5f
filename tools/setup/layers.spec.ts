import { spawnSync } from 'node:child_process';
import { root } from './repository.fixture';

/** The messages of the lint for a file of this name that imports `from`. */
function lint(file: string, from: string): string[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/eslint/bin/eslint.js', '--format=json', '--stdin', `--stdin-filename=${file}`],
    { cwd: root, input: `export * from '${from}';\n`, encoding: 'utf8' },
  );
  if (stdout === '') throw new Error(stderr);
  const results = JSON.parse(stdout) as { messages: { message: string }[] }[];
  return results.flatMap(({ messages }) => messages.map(({ message }) => message));
}

describe('a folder of vcs', () => {
  it.each([
    ['http/a.ts', '../servers/granted-route'],
    ['monitoring/a.ts', '../statuses/send-status'],
    ['servers/a.ts', '../get-app'],
  ])('does not import a higher one: %s', (file, from) => {
    expect(lint(`apps/vcs/src/${file}`, from)).toEqual([expect.stringContaining('is below')]);
  });

  it('imports lower ones, and a spec imports what it tests with', () => {
    expect(lint('apps/vcs/src/servers/a.ts', '../http/route-params')).toEqual([]);
    expect(lint('apps/vcs/src/http/a.spec.ts', '../get-app')).toEqual([]);
  });
});

describe('a service', () => {
  it('calls stores and names no key of Redis, which specs and the reference may', () => {
    const keys = '@cds/hooks-store/keys';
    expect(lint('apps/hooks/src/queue/a.ts', keys)).toEqual([
      expect.stringContaining('keys are for specs'),
    ]);
    expect(lint('apps/hooks/src/queue/a.ts', '@cds/hooks-store')).toEqual([]);
    expect(lint('apps/hooks/src/queue/a.spec.ts', keys)).toEqual([]);
    expect(lint('apps/engine/src/reference/a.ts', keys)).toEqual([]);
  });
});
