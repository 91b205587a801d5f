import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type ServiceName } from '@cds/config';
import { TLS_CERTIFICATE, TLS_KEY } from '@cds/testing';
import { parse } from 'yaml';
import {
  CHART,
  consumerToken,
  helm,
  kubeconform,
  one,
  podOf,
  rendered,
  renderedText,
  runHelm,
  type Manifest,
} from './chart.fixture';
import { read, root } from './repository.fixture';

const SERVICES = ['vcs', 'hooks'] as const;
const CASES = readdirSync(join(root, CHART, 'ci'));

const withHelm = helm === undefined ? describe.skip : describe;

withHelm(`helm${helm === undefined ? ' (skipped: helm is not installed)' : ''}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'chart-'));
    writeFileSync(join(folder, 'ca.crt'), TLS_CERTIFICATE);
    writeFileSync(join(folder, 'tls.crt'), TLS_CERTIFICATE);
    writeFileSync(join(folder, 'tls.key'), TLS_KEY);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The Secrets that a pod gets, as the README has them made. */
  function secretsOf(
    service: ServiceName,
    version: string,
    hasFile: boolean,
  ): Record<string, string> {
    const name = service.toUpperCase();
    const key = '0123456789abcdef0123456789abcdef';
    const shared = { [`CDS_${name}_WEBHOOKKEY`]: key };
    // What may be left of the time with one replica does not count beside the files.
    if (hasFile)
      return {
        ...shared,
        [`CDS_${name}_NAME`]: 'the only one',
        [`CDS_${name}_API_TOKEN`]: consumerToken('the only one'),
      };
    if (version !== '0.41') return { ...shared, [`CDS_${name}_API_TOKEN`]: consumerToken(service) };
    const server = 'CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD';
    const consumer = { [`${server}_CLIENTID`]: 'the id', [`${server}_CLIENTSECRET`]: 'the secret' };
    return {
      ...shared,
      [`CDS_${name}_API_TOKEN`]: 'the shared.infra token',
      ...(service === 'vcs' && consumer),
    };
  }

  /** What a pod starts with: its environment, and its file. */
  function startOf(manifests: Manifest[], service: ServiceName, index: number) {
    const statefulSet = one(manifests, 'StatefulSet', `-${service}`);
    const [container] = podOf(statefulSet).spec.containers;
    if (!container) throw new Error('no container');
    const podName = `${statefulSet.metadata.name}-${index}`;
    const settings = one(manifests, 'ConfigMap', `-${service}`).data ?? {};
    const version = settings[`CDS_${service.toUpperCase()}_API_GENERATION`] ?? '';
    const secrets = secretsOf(service, version, container.args !== undefined);
    const files: string[] = [];
    if (container.args) {
      const file = join(folder, `${podName}.toml`);
      const token = consumerToken(podName);
      writeFileSync(
        file,
        `[${service}]\nname = "${podName}"\n[${service}.api]\ntoken = "${token}"\n`,
      );
      files.push(file);
    }
    // The files that the Secret would hold.
    for (const [name, file] of Object.entries(settings))
      settings[name] = file.replace('/etc/cds/redis', folder);
    const own = container.env.map(({ name, value = podName }) => [
      name,
      value.replaceAll('$(POD_NAME)', podName),
    ]);
    return { podName, files, env: { ...settings, ...secrets, ...Object.fromEntries(own) } };
  }

  describe.each(CASES)('with %s', (values) => {
    it('passes helm lint', () => {
      const { status, text, error } = runHelm('lint', values);
      expect([status, text, error]).toEqual([0, expect.stringContaining('0 chart(s) failed'), '']);
    });

    it('makes pods whose configuration the services take, each with its name and URL', () => {
      const manifests = rendered(values);
      const sets = manifests.filter(({ kind }) => kind === 'StatefulSet');
      const seen: string[] = [];
      for (const { metadata, spec } of sets) {
        const service = metadata.name.endsWith('-vcs') ? 'vcs' : 'hooks';
        for (let index = 0; index < Number(spec?.['replicas']); index++) {
          const { env, files, podName } = startOf(manifests, service, index);
          const { warnings, [service]: config } = loadConfig({ services: [service], files, env });
          expect(warnings).toEqual([]);
          expect(new URL(config?.url ?? '').hostname).toBe(`${podName}.${metadata.name}.cds.svc`);
          seen.push(config?.name ?? '');
          if (files.length > 0) expect(config?.api.token).toBe(consumerToken(podName));
        }
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.length).toBeGreaterThan(0);
    });

    it('makes pods that write nothing, are nobody special, and have time to end', () => {
      for (const set of rendered(values).filter(({ kind }) => kind === 'StatefulSet')) {
        const { spec } = podOf(set);
        expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
        expect(spec.containers[0]?.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(35);
      }
    });

    it('has no secret in it', () => {
      const text = JSON.stringify(rendered(values));
      expect(text).not.toMatch(/"kind":"Secret"/);
      for (const { kind, data = {} } of rendered(values))
        if (kind === 'ConfigMap')
          for (const name of Object.keys(data))
            expect(name).not.toMatch(/(TOKEN|PASSWORD|SECRET|WEBHOOKKEYS?)$/);
    });

    const skipped =
      kubeconform === undefined
        ? 'kubeconform is not installed'
        : process.env['KUBERNETES_SCHEMAS'] === undefined && 'KUBERNETES_SCHEMAS names no schemas';
    (skipped ? it.skip : it)(
      `is valid to kubeconform${skipped ? ` (skipped: ${skipped})` : ''}`,
      () => {
        const { stdout, status } = spawnSync(
          kubeconform ?? '',
          [
            ...['-strict', '-summary', '-skip', 'ServiceMonitor,PrometheusRule'],
            ...['-schema-location', process.env['KUBERNETES_SCHEMAS'] ?? ''],
          ],
          { encoding: 'utf8', input: renderedText(values) },
        );
        expect([status, stdout]).toEqual([0, expect.stringMatching(/Invalid: 0, Errors: 0/)]);
      },
    );
  });

  it('leads the internet to /webhook/ alone, at the port that serves nothing else', () => {
    const manifests = rendered('all-values.yaml');
    const { spec } = one(manifests, 'Ingress', '-webhooks');
    expect(spec).toMatchObject({
      tls: [{ hosts: ['hooks.example.com'], secretName: 'hooks-tls' }],
      rules: [{ host: 'hooks.example.com', http: { paths: [{ path: '/webhook/' }] } }],
    });
    expect(JSON.stringify(spec).match(/"path":/g)).toHaveLength(1);
    const service = one(manifests, 'Service', 'hooks-webhooks');
    expect(service.spec).toMatchObject({ ports: [{ targetPort: 'webhooks' }] });
    const [container] = podOf(one(manifests, 'StatefulSet', '-hooks')).spec.containers;
    expect(container?.ports).toContainEqual({ name: 'webhooks', containerPort: 8086 });
    const withoutOne = one(rendered('consumers-values.yaml'), 'Service', 'hooks-webhooks');
    expect(withoutOne.spec).toMatchObject({ ports: [{ targetPort: 'http' }] });
  });

  it('gives each replica the file of its own consumer, and no other', () => {
    const set = one(rendered('consumers-values.yaml'), 'StatefulSet', '-hooks');
    const { containers, volumes } = podOf(set).spec;
    expect(containers[0]?.volumeMounts).toContainEqual({
      ...{ name: 'consumers', mountPath: '/etc/cds/consumer.toml', readOnly: true },
      subPathExpr: '$(POD_NAME).toml',
    });
    expect(volumes.find(({ name }) => name === 'consumers')?.projected?.sources).toEqual(
      [0, 1, 2].map((index) => ({
        secret: {
          name: `cds-hooks-${index}`,
          items: [{ key: 'consumer.toml', path: `${set.metadata.name}-${index}.toml` }],
        },
      })),
    );
  });

  it('mounts what TLS of Redis needs where the service looks for it, and lets one pod go at a time', () => {
    const manifests = rendered('redis-tls-values.yaml');
    const { data = {} } = one(manifests, 'ConfigMap', '-hooks');
    const [container] = podOf(one(manifests, 'StatefulSet', '-hooks')).spec.containers;
    expect(container?.volumeMounts.map(({ mountPath }) => mountPath)).toContain('/etc/cds/redis');
    const files = Object.entries(data).filter(([name]) => name.endsWith('FILE'));
    expect(files.map(([, file]) => file)).toEqual(
      ['ca.crt', 'tls.crt', 'tls.key'].map((name) => `/etc/cds/redis/${name}`),
    );
    expect(manifests.map(({ kind }) => kind)).not.toContain('PodDisruptionBudget');
    expect(one(rendered('cds-0.41-values.yaml'), 'PodDisruptionBudget', '-vcs').spec).toMatchObject(
      {
        maxUnavailable: 1,
      },
    );
  });

  it('brings the alerts with the jobs that they ask for', () => {
    const manifests = rendered('all-values.yaml');
    const alerts = parse(read('docs/monitoring/alerts.yml')) as { groups: unknown };
    expect(one(manifests, 'PrometheusRule', 'bitbucket').spec).toEqual({ groups: alerts.groups });
    for (const service of SERVICES) {
      const { spec } = one(manifests, 'ServiceMonitor', `-${service}`);
      const { labels } = one(manifests, 'Service', `-${service}`).metadata;
      expect(labels[String(spec?.['jobLabel'])]).toBe(`cds-${service}`);
      const { matchLabels } = (spec?.['selector'] ?? {}) as { matchLabels: object };
      expect(labels).toMatchObject(matchLabels);
      // Not the Service of the ingress as well: each pod would be read twice.
      expect(one(manifests, 'Service', '-webhooks').metadata.labels).not.toMatchObject(matchLabels);
    }
  });

  it.each([
    [undefined, [], ['cds.version: say', 'redis.host: say', 'vcs.existingSecret: name']],
    [undefined, ['vcs.enabled=false,hooks.enabled=false'], ['both are false']],
    ['cds-0.57-values.yaml', ['vcs.replicas=2,vcs.name='], ['vcs.replicas: from CDS 0.44 on']],
    ['cds-0.57-values.yaml', ['vcs.replicas=2'], ['vcs.name: 2 replicas cannot have one name']],
    ['consumers-values.yaml', ['vcs.replicas=3'], ['there are 2 for 3 replicas']],
    ['consumers-values.yaml', ['vcs.consumerSecrets[1]=cds-vcs-0'], ['have the same one']],
    ['consumers-values.yaml', ['vcs.name=x'], ['the files of consumerSecrets hold the names']],
    ['cds-0.41-values.yaml', ['vcs.consumerSecrets[0]=x'], ['have no consumers: remove it']],
    ['cds-0.57-values.yaml', ['hooks.env.CDS_HOOKS_URL=x'], ['CDS_HOOKS_URL comes from another']],
    ['cds-0.57-values.yaml', ['hooks.env.CDS_HOOKS_HTTP_ADDR=1'], ['got number, want string']],
    ['cds-0.57-values.yaml', ['hooks.publicPort=8083'], ['hooks.publicPort: is hooks.port']],
    ['all-values.yaml', ['hooks.urlPublic=https://a.example/x'], ['changes no path: remove /x']],
    ['all-values.yaml', ['hooks.urlPublic=https://a.example:444'], ['has no port of its own']],
    ['cds-0.57-values.yaml', ['redis.tls.secret=x'], ['redis.tls.enabled: is false']],
    ['all-values.yaml', ['redis.tls.clientCertificate=true,redis.tls.secret='], ['client cert']],
    ['all-values.yaml', ['networkPolicy.api=null'], ['networkPolicy.api: name the pods']],
    ['all-values.yaml', ['networkPolicy.ingress=null'], ['networkPolicy.ingress: name the']],
    ['all-values.yaml', ['networkPolicy.monitoring=null'], ['networkPolicy.monitoring: name']],
    ['redis-tls-values.yaml', ['ingress.enabled=true,hooks.enabled=false'], ['leads to hooks']],
    ['cds-0.57-values.yaml', ['vcs.replicas=two'], ["'/vcs/replicas': got string, want integer"]],
  ])('refuses %s with %j in words', (values, set, words) => {
    const { status, error } = runHelm('template', values, ...set);
    expect(status).toBe(1);
    for (const each of words) expect(error).toContain(each);
  });
});
