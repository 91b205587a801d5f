import {
  type BbHook,
  createBitbucketClient,
  isBitbucketError,
  type AccessTokenSource,
} from '@cds/bitbucket';
import type { BitbucketServerConfig, HooksConfig, VcsConfig } from '@cds/config';
import { createRefusalStore, listHistory, tasksOfRepository, traitsOf } from '@cds/hooks-store';
import { hookUuidOf } from '@cds/webhook-signature';
import type { Task } from '@cds/wire';
import type { Redis } from 'ioredis';
import { withoutSlash } from '../../ask-url';
import { reasonOf } from '../../command-error';
import { type Check, failed, ok, type Outcome, skipped, warning } from '../finding';
import type { StoredGrants } from './grants';

export interface WebhookTarget {
  /** `workspace/slug` */
  repository: string;
  hooks: { config: HooksConfig; redis: { subject: string; redis: Redis } } | undefined;
  vcs: { config: VcsConfig; redis: { subject: string; redis: Redis } } | undefined;
  grants: StoredGrants | undefined;
}

type Found = Outcome & { subject?: string };

/** Grants that are tried: a repository is seen by those of its own projects alone. */
const MAX_TRIED = 5;
const MAX_TASKS = 50;
const PUSH = 'repo:push';

/** Has the repository the webhooks that CDS needs, and do they deliver? */
export function webhookChecks(target: WebhookTarget): Check[] {
  const { repository, hooks, vcs, grants } = target;
  let tasks: Task[] = [];
  const subject = repository;

  async function known(): Promise<Outcome> {
    if (!hooks)
      return skipped(
        'not known: the configuration has no [hooks]',
        'name its file, too, with --config',
      );
    const { found } = await tasksOfRepository(hooks.redis.redis, repository, MAX_TASKS);
    tasks = found.filter(({ type }) => traitsOf(type).takesPushes);
    if (tasks.length > 0) return ok(`CDS has ${tasks.length} repository webhook(s) for it`);
    return failed(
      'hooks knows no repository webhook for it',
      'add one to a workflow and save it; engine hooks tasks list shows all, and how the repository is written',
    );
  }

  async function atBitbucket(): Promise<readonly Found[]> {
    if (!hooks || !vcs || !grants)
      return [
        skipped('not known: the configuration has no [vcs]', 'name its file, too, with --config'),
      ];
    // As CDS writes it.
    const asWritten = tasks[0]?.config?.['repoFullName']?.value ?? repository;
    const list = await listed(asWritten, vcs.config, grants);
    if ('status' in list) return [list];
    const ours = tasks.map((task): Found => ({
      subject: task.uuid,
      ...compare(task, list.found, list.server, hooks.config),
    }));
    const uuids = new Set(tasks.map(({ uuid }) => uuid));
    const stale = list.found.filter(
      ({ url, description }) =>
        description.startsWith('CDS webhook') && !uuids.has(hookUuidOf(url)),
    );
    return [
      ...ours,
      ...stale.map(({ url }): Found => ({
        subject: hookUuidOf(url),
        ...warning(
          `a webhook of CDS calls ${url}, and this CDS has no such hook`,
          'remove it at Bitbucket, unless another CDS uses it',
        ),
      })),
    ];
  }

  async function deliveries(): Promise<readonly Found[]> {
    if (!hooks) return [];
    const { redis } = hooks.redis;
    return Promise.all(
      tasks.map(async ({ uuid }): Promise<Found> => ({
        subject: uuid,
        ...(await lastDelivery(redis, uuid)),
      })),
    );
  }

  return [
    {
      ...{ id: 'webhook.task', subject, run: known },
      needs: hooks ? [`redis ${hooks.redis.subject}`] : [],
    },
    {
      ...{ id: 'webhook', subject, run: atBitbucket },
      needs: [`webhook.task ${subject}`, ...(vcs ? [`redis ${vcs.redis.subject}`] : [])],
    },
    { id: 'webhook.delivery', subject, needs: [`webhook.task ${subject}`], run: deliveries },
  ];
}

/** The webhooks at Bitbucket, as the first grant that may see them has them. */
async function listed(
  repository: string,
  config: VcsConfig,
  grants: StoredGrants,
): Promise<{ found: BbHook[]; server: BitbucketServerConfig } | Outcome> {
  const [workspace = '', slug = ''] = repository.split('/');
  const advice =
    'a build or a page of its project in CDS renews the grant: ask again then, or look at ' +
    'the settings of the repository at Bitbucket';
  let refusal = 'no stored grant has an access token that has not expired';
  for (const server of config.servers) {
    const { readable } = await grants.of(server.clientSecret);
    const alive = readable.filter(({ expiresAt }) => expiresAt > Date.now()).slice(0, MAX_TRIED);
    for (const { accessToken } of alive) {
      const client = createBitbucketClient({
        ...{ apiUrl: server.apiUrl, tokens: fixed(accessToken), proxies: config.proxies },
        attemptTimeoutMs: 5_000,
      });
      const ctx = { signal: AbortSignal.timeout(10_000), deadline: Date.now() + 10_000 };
      try {
        return { found: await client.listHooks({ workspace, slug }, ctx), server };
      } catch (error) {
        refusal = reasonOf(error);
        if (!isBitbucketError(error) || ![401, 403, 404].includes(error.status ?? 0))
          return skipped(`not known: ${refusal}`, 'ask again later');
      }
    }
  }
  if (config.servers.length === 0)
    return skipped(
      'not known: the credentials of VCS projects come with the calls of CDS, and are not stored',
      'look at the settings of the repository at Bitbucket: engine vcs webhook UUID prints what has to be there',
    );
  return skipped(`not known: ${refusal}`, advice);
}

/** One token, which is never renewed. */
function fixed(token: string): AccessTokenSource {
  return {
    current: () => Promise.resolve(token),
    renew: (_rejected, _ctx, refusal) => Promise.reject(refusal),
  };
}

function compare(
  { uuid }: Task,
  found: readonly BbHook[],
  { proxyWebhook }: BitbucketServerConfig,
  { urlPublic, signature }: HooksConfig,
): Outcome {
  const base =
    proxyWebhook === '' ? `${withoutSlash(urlPublic)}/webhook` : withoutSlash(proxyWebhook);
  const url = `${base}/${uuid}`;
  const own = found.filter((hook) => hookUuidOf(hook.url) === uuid);
  const [hook] = own;
  const byHand = `or add it by hand as engine vcs webhook ${uuid} prints`;
  if (!hook) return failed('it is not at Bitbucket', `save the workflow in CDS, ${byHand}`);
  if (!own.some((each) => each.url === url))
    return failed(
      `it calls ${hook.url}, and the configuration says ${url}`,
      'save the workflow in CDS, or correct urlPublic or proxyWebhook',
    );
  if (own.length > 1)
    return warning(
      `it is there ${own.length} times`,
      'vcs removes the doubles within a day; or remove them at Bitbucket',
    );
  if (!hook.active)
    return failed('it is not active', 'vcs mends it within a day; or tick Active at Bitbucket');
  if (!hook.events.includes(PUSH))
    return failed(`it does not send ${PUSH}`, `save the workflow in CDS, ${byHand}`);
  if (hook.secretSet === false && signature !== 'off')
    return (signature === 'required' ? failed : warning)(
      'it has no secret, so its deliveries are not signed',
      `vcs mends it within a day; or set the secret that engine vcs webhook ${uuid} prints`,
    );
  const signed = hook.secretSet ? 'signed' : 'not known to be signed';
  return ok(`it is there, active, ${signed}, for ${hook.events.join(', ')}`);
}

async function lastDelivery(redis: Redis, uuid: string): Promise<Outcome> {
  const [history, [refusal]] = await Promise.all([
    listHistory(redis, uuid, 1),
    createRefusalStore({ redis }).of(uuid),
  ]);
  const last = history?.found[0];
  const accepted = last ? Date.parse(last.accepted_at) || last.timestamp / 1e6 : 0;
  if (refusal && refusal.at > accepted)
    return failed(
      `the last delivery was refused with ${refusal.status} at ${new Date(refusal.at).toISOString()}: ${refusal.error}`,
      `engine hooks why ${uuid}`,
    );
  if (!last)
    return warning(
      'hooks knows of no delivery yet',
      `push something, then: engine hooks why ${uuid}`,
    );
  const at = new Date(accepted).toISOString();
  return last.result === 'failed'
    ? warning(`the last delivery, at ${at}, failed for good`, `engine hooks why ${uuid}`)
    : ok(`the last delivery was accepted at ${at}`);
}
