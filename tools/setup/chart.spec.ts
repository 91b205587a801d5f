import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@cds/config';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { CHART, consumerToken, pathsOf } from './chart.fixture';
import { read, repositoryFiles, root } from './repository.fixture';

const SERVICES = ['vcs', 'hooks'] as const;
const CASES = readdirSync(join(root, CHART, 'ci'));
const templates = repositoryFiles().filter((file) => file.startsWith(`${CHART}/templates/`));
/** The ports of an image. */
const exposedBy = (image: string) =>
  new RegExp(`FROM runtime AS ${image}\n[^]*?\nEXPOSE (.*)`).exec(read('Dockerfile'))?.[1];
const readYaml = (file: string) => parse(read(`${CHART}/${file}`)) as Record<string, unknown>;

interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
}
const schema = JSON.parse(read(`${CHART}/values.schema.json`)) as Schema;
const schemaAt = (path: string) =>
  path.split('.').reduce<Schema | undefined>((at, key) => at?.properties?.[key], schema);
/** Whether anything may stand in a value. */
const isOpen = (path: string) => path !== '' && schemaAt(path)?.properties === undefined;
const defaults = pathsOf(readYaml('values.yaml'), isOpen);

describe('the chart', () => {
  it('has the version of package.json, which its images have', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(readYaml('Chart.yaml')).toMatchObject({ version, appVersion: version });
    expect(read('.github/workflows/release.yml')).toContain('cds-bitbucket-cloud-$APP');
  });

  it('has the alerts of docs/monitoring', () => {
    expect(read(`${CHART}/files/alerts.yml`)).toBe(read('docs/monitoring/alerts.yml'));
  });

  it('sets variables that there are', () => {
    const known = new Set(
      [...read('docs/configuration.md').matchAll(/`(CDS_\w+)`\)/g)].flatMap(([, name = '']) =>
        SERVICES.map((service) => name.replace('CDS_SERVICE_', `CDS_${service.toUpperCase()}_`)),
      ),
    );
    const texts = [...templates, `${CHART}/README.md`, `${CHART}/values.yaml`].map(read);
    const named = SERVICES.flatMap((service) =>
      texts.flatMap((text) => {
        const name = `CDS_${service.toUpperCase()}`;
        const filledIn = text
          .replaceAll(/\{\{ \$prefix \}\}|CDS_\{\{ upper \$service \}\}|CDS_%s/g, name)
          .replaceAll('{{ $redis }}', `${name}_CACHE_REDIS`);
        return filledIn.match(/\bCDS_(VCS|HOOKS|LOG)_[A-Z_]+[A-Z]/g) ?? [];
      }),
    );
    const isPrefix = (name: string) => /^CDS_(VCS|HOOKS)_CACHE_REDIS$/.test(name);
    expect(new Set(named).size).toBeGreaterThan(20);
    for (const name of named.filter((each) => !isPrefix(each)))
      expect([name, known.has(name)]).toEqual([name, true]);
  });

  it('listens, probes and ends as the services do', () => {
    const values = readYaml('values.yaml') as Record<string, Record<string, unknown>>;
    for (const service of SERVICES) {
      const name = service.toUpperCase();
      const env = {
        [`CDS_${name}_NAME`]: 'n',
        [`CDS_${name}_API_TOKEN`]: consumerToken(service),
        [`CDS_${name}_API_GENERATION`]: '0.54',
      };
      const http = loadConfig({ services: [service], env })[service]?.http;
      expect(http?.port).toBe(values[service]?.['port']);
      expect(exposedBy(service)).toContain(`${http?.port}`);
    }
    expect(exposedBy('hooks')).toContain(String(values['hooks']?.['publicPort']));
    const routes = read('libs/service/src/http/monitoring-router.ts');
    const paths = templates.flatMap((file) => read(file).match(/\/mon\/\w+/g) ?? []);
    expect(new Set(paths).size).toBe(4);
    for (const path of paths) expect(routes).toContain(`'${path}'`);
    const [, deadline] =
      /DEADLINE_MS = ([\d_]+)/.exec(read('libs/service/src/run-until-signal.ts')) ?? [];
    expect(Number(deadline?.replaceAll('_', ''))).toBeLessThan(35_000);
    expect(read(`${CHART}/templates/statefulset.yaml`)).toContain('add 35 $.Values.stopDelay');
  });
});

describe('the values', () => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  const check = ajv.compile(schema as object);
  const wrong = (values: unknown) => (check(values) ? [] : (check.errors ?? []));

  it('all have a schema, and a schema has no other', () => {
    expect(pathsOf(withoutTypes(schema), () => false).toSorted()).toEqual(
      [...defaults, 'global'].toSorted(),
    );
  });

  it('are all explained', () => {
    for (const path of defaults)
      expect([path, schemaAt(path)?.description]).toEqual([path, expect.stringMatching(/\w.*\.$/)]);
  });

  it.each(['values.yaml', ...CASES.map((name) => `ci/${name}`)])('of %s fit the schema', (file) => {
    expect(wrong(readYaml(file))).toEqual([]);
  });

  it.each<[object, string]>([
    [{ cds: { version: 0.5 } }, 'a number, which 0.50 would be'],
    [{ cds: { version: '0.39' } }, 'a CDS that is too old'],
    [{ cds: { apiUrl: 'https://user:password@cds.example.com' } }, 'a password in a URL'],
    [{ redis: { host: 'redis' } }, 'a Redis without a port'],
    [{ redis: { password: 'x' } }, 'a password beside the Secret'],
    [{ vcs: { replicas: '2' } }, 'a number that is text'],
    [{ vcs: { existingSecret: 'Not A Name' } }, 'what is no name of a Secret'],
    [{ vcs: { env: { CDS_VCS_API_TOKEN: 'x' } } }, 'a token among the settings'],
    [{ vcs: { env: { CDS_VCS_WEBHOOKKEY: 'x' } } }, 'a key among the settings'],
    [{ vcs: { env: { CDS_HOOKS_DISABLE: 'true' } } }, 'a setting of the other service'],
    [
      { vcs: { env: { CDS_VCS_SERVERS_X_BITBUCKETCLOUD_POLLING: true } } },
      'a value that is no text',
    ],
    [{ hooks: { urlPublic: 'hooks.example.com' } }, 'a URL without https://'],
    [{ hooks: { trustedProxies: ['the ingress'] } }, 'what is no network'],
    [{ stopDelay: 61 }, 'more than the service takes'],
    [{ ingres: {} }, 'a misspelt name'],
  ])('refuse %j: %s', (values) => {
    expect(wrong(values)).not.toEqual([]);
  });
});

/** The schema as values would be. */
function withoutTypes({ properties }: Schema): unknown {
  if (!properties) return '';
  return Object.fromEntries(Object.entries(properties).map(([key, of]) => [key, withoutTypes(of)]));
}
