import {
  type ConfigSources,
  type HooksConfig,
  type LoadedConfig,
  type ServiceName,
  type VcsConfig,
  secretValues,
} from '@cds/config';
import { apiChecks, serviceCheck } from './checks/api';
import { bitbucketChecks } from './checks/bitbucket';
import { createClocks } from './checks/clocks';
import { fileRights, readConfiguration } from './checks/configuration';
import { storedGrants } from './checks/grants';
import { publicChecks } from './checks/public-url';
import { redisChecks, type RedisTarget, redisTarget } from './checks/redis';
import { stateCheck } from './checks/state';
import { webhookChecks } from './checks/webhooks';
import { withoutSlash } from '../ask-url';
import { type Check, type Finding, ok, skipped } from './finding';
import { hideSecrets } from './print-findings';

export interface DoctorInput extends ConfigSources {
  env: NodeJS.ProcessEnv;
  /** `workspace/slug` */
  repository: string | undefined;
}

/** All checks in their order, and what ends them. */
export function allChecks({ env, repository, ...sources }: DoctorInput) {
  const { config, services, check } = readConfiguration(sources, env);
  const first = [check, fileRights(sources.files ?? [], config)];
  if (!config)
    return {
      checks: [...first, ...withoutConfig()],
      mask: (finding: Finding) => finding,
      close: () => undefined,
    };
  const { vcs, hooks } = config;
  const secrets = secretValues({ ...sources, services, env });
  const targets = redisTargets(config);
  const targetOf = (service: ServiceName): RedisTarget | undefined =>
    targets.find(({ subject }) => subject.split(',').includes(service));
  const [redisOfVcs, redisOfHooks] = [targetOf('vcs'), targetOf('hooks')];
  const clocks = createClocks();
  const grants = redisOfVcs && storedGrants(redisOfVcs.redis, vcs?.servers.length === 1);
  const each = services.flatMap((name) => {
    const [own, target] = [config[name], targetOf(name)];
    return own && target ? [{ name, own, target }] : [];
  });

  const checks: Check[] = [
    ...first,
    ...targets.flatMap(redisChecks),
    ...each.map(({ name, own, target }) => stateCheck(name, own, target)),
    ...each.flatMap(({ name, own }) => [...apiChecks(name, own, clocks), serviceCheck(name, own)]),
    ...(vcs && redisOfVcs && grants
      ? vcs.servers.flatMap((server) =>
          bitbucketChecks({ server, proxies: vcs.proxies, redis: redisOfVcs, grants, clocks }),
        )
      : []),
    ...(vcs?.servers.length === 0 ? [{ id: 'bitbucket', run: () => NO_SERVERS }] : []),
    ...publicTargets(vcs, hooks).flatMap(publicChecks),
    ...(repository === undefined
      ? []
      : webhookChecks({
          repository,
          hooks: hooks && redisOfHooks && { config: hooks, redis: redisOfHooks },
          vcs: vcs && redisOfVcs && { config: vcs, redis: redisOfVcs },
          grants,
        })),
    clocks.check(targets),
    ...notConfigured(config),
  ];
  return {
    checks,
    mask: (finding: Finding) => hideSecrets(finding, [...secrets, ...(grants?.secrets() ?? [])]),
    close: () => targets.forEach(({ redis }) => redis.disconnect()),
  };
}

function withoutConfig(): Check[] {
  const ids = ['redis', 'api', 'service', 'bitbucket', 'public.answer', 'clock'];
  return ids.map((id) => ({ id, needs: ['config'], run: () => ok('') }));
}

/** A service whose file was not named is not checked, which has to be said. */
function notConfigured({ vcs, hooks }: LoadedConfig): Check[] {
  const missing = [...(vcs ? [] : ['vcs']), ...(hooks ? [] : ['hooks'])];
  return missing.map((subject) => {
    const why = `${subject} is not checked: the configuration has no [${subject}]`;
    const outcome = skipped(why, 'name its file, too, with another --config');
    return { id: 'config.other', subject, run: () => outcome };
  });
}

const NO_SERVERS = skipped(
  'not checked: without [vcs.servers] all credentials are those of VCS projects, ' +
    'which come with the calls of CDS',
  'cdsctl project vcs list shows them',
);

/** Each Redis once: both services may share one. */
function redisTargets({ vcs, hooks }: LoadedConfig): RedisTarget[] {
  if (vcs && hooks && JSON.stringify(vcs.redis) === JSON.stringify(hooks.redis))
    return [redisTarget(['vcs', 'hooks'], vcs.redis)];
  return [
    ...(vcs ? [redisTarget(['vcs'], vcs.redis)] : []),
    ...(hooks ? [redisTarget(['hooks'], hooks.redis)] : []),
  ];
}

function publicTargets(vcs: VcsConfig | undefined, hooks: HooksConfig | undefined) {
  const withSlash = (url: string) => `${withoutSlash(url)}/`;
  const proxies = vcs?.proxies ?? hooks?.proxies;
  const found = new Map<string, string>();
  const add = (key: string, url: string) => {
    if (url !== '' && !found.has(withSlash(url))) found.set(withSlash(url), key);
  };
  if (hooks) add('hooks.urlPublic', `${withSlash(hooks.urlPublic)}webhook`);
  for (const { name, proxyWebhook } of vcs?.servers ?? [])
    add(`vcs.servers.${name}.proxyWebhook`, proxyWebhook);
  add('vcs.proxyWebhook', vcs?.proxyWebhook ?? '');
  return [...found].map(([prefix, key]) => ({ prefix, key, proxies }));
}
