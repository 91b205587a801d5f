import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { findCommand } from './find-command.mjs';
import { root } from './repository.fixture';

export const CHART = 'deploy/helm/cds-bitbucket-cloud';
/** The release and its namespace in every test. */
const RELEASE = ['rel', '--namespace', 'cds'];
/** The oldest that the chart takes. A helm that `go install` made takes itself for an older one. */
const KUBERNETES = '1.27.0';

export const helm = findCommand('helm');
export const kubeconform = findCommand('kubeconform');

export interface Manifest {
  kind: string;
  metadata: { name: string; labels: Record<string, string> };
  data?: Record<string, string>;
  spec?: Record<string, unknown>;
}

export interface Pod {
  spec: {
    terminationGracePeriodSeconds: number;
    securityContext: object;
    containers: {
      image: string;
      args?: string[];
      envFrom: object[];
      env: { name: string; value?: string }[];
      ports: { name: string; containerPort: number }[];
      securityContext: object;
      volumeMounts: { mountPath: string; subPathExpr?: string }[];
    }[];
    volumes: { name: string; projected?: { sources: object[] } }[];
  };
}

/** What `helm lint` or `helm template` says. */
export function runHelm(verb: 'lint' | 'template', values?: string, ...set: string[]) {
  const { status, stdout, stderr } = spawnSync(
    helm ?? 'helm',
    [
      ...(verb === 'lint' ? ['lint', '--strict'] : ['template', ...RELEASE]),
      join(root, CHART),
      ...['--kube-version', KUBERNETES],
      ...(values === undefined ? [] : ['--values', join(root, CHART, 'ci', values)]),
      ...set.flatMap((each) => ['--set', each]),
    ],
    { encoding: 'utf8' },
  );
  return { status, text: stdout, error: stderr };
}

const texts = new Map<string, string>();

/** What `helm template` makes of a file of `ci`. @throws Error with what helm says instead */
export function renderedText(values: string): string {
  const known = texts.get(values);
  if (known !== undefined) return known;
  const { status, text, error } = runHelm('template', values);
  if (status !== 0) throw new Error(error);
  texts.set(values, text);
  return text;
}

/** The objects in it. */
export function rendered(values: string): Manifest[] {
  return parseAllDocuments(renderedText(values))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** The one of a kind whose name ends with this. */
export function one(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find(
    ({ kind: its, metadata }) => its === kind && metadata.name.endsWith(name),
  );
  if (!found) throw new Error(`no ${kind} …${name}`);
  return found;
}

export function podOf(statefulSet: Manifest): Pod {
  return statefulSet.spec?.['template'] as Pod;
}

/** The paths of all values, but within those that Kubernetes itself defines. */
export function pathsOf(value: unknown, isOpen: (path: string) => boolean, path = ''): string[] {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMapping || isOpen(path)) return [path];
  return Object.entries(value).flatMap(([key, of]) =>
    pathsOf(of, isOpen, path === '' ? key : `${path}.${key}`),
  );
}

/** A token of the form of a consumer's. */
export function consumerToken(id: string): string {
  const payload = { type: 'signinBuiltinConsumerToken', data: { consumer_id: id } };
  return `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
}
