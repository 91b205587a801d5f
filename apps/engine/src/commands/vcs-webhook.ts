import type { VcsConfig } from '@cds/config';
import { vcsKeys } from '@cds/redis';
import { webhookSecret } from '@cds/webhook-signature';
import { isConsumerToken } from '@cds/wire';
import type { Redis } from 'ioredis';
import * as z from 'zod';
import { reasonOf, usageError } from '../command-error';
import type { ConfigOption } from '../command-options';
import type { Context } from '../context';
import { requireConfig } from '../load-config';
import { formatJson } from '../print';
import { askRedis } from '../service-redis';

export interface WebhookOptions extends ConfigOption {
  json?: true;
}

/** The default of vcs where CDS names no events. */
const DEFAULT_EVENTS = ['repo:push'];

const NO_PUBLIC_URL =
  '. The URL of a webhook is made of [hooks] urlPublic. ' +
  'Name its file, too, with another --config.';

/**
 * `engine vcs webhook UUID [--config FILE]…`: a webhook that vcs did not create because of
 * `disableWebHooksCreation`, and its secret, made of the configured key as hooks makes it.
 */
export async function showWebhook(
  uuid: string,
  { config: files, json }: WebhookOptions,
  context: Context,
): Promise<void> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(uuid))
    throw usageError(`${JSON.stringify(uuid)} is no uuid of a webhook.`);
  const vcs = requireConfig('vcs', files, context, '.');
  const publicUrl = () => requireConfig('hooks', files, context, NO_PUBLIC_URL).urlPublic;
  const secret = webhookSecret(vcs.webhookKey, uuid);
  const stored = await askRedis(vcs.redis, (redis) => storedWebhook(redis, uuid)).catch(reasonOf);
  if (typeof stored === 'object') return print(context, [{ ...stored, secret }], json);
  context.say(
    stored !== undefined
      ? `Redis of vcs cannot be asked (${stored}): this is what the configuration says.`
      : `vcs has not been asked for webhook ${uuid} (or creates it by itself): this is what the configuration says.`,
  );
  const owners = ownersOf(vcs);
  const webhooks = owners.map(({ label, proxyWebhook }) => ({
    ...(owners.length > 1 && { label }),
    url: proxyWebhook ? `${proxyWebhook}/${uuid}` : `${publicUrl()}/webhook/${uuid}`,
    events: DEFAULT_EVENTS,
    secret,
  }));
  print(context, webhooks, json);
}

/** A webhook to add at Bitbucket by hand, as vcs stores it in Redis. */
const manualWebhook = z.object({
  repository: z.string(),
  url: z.string(),
  events: z.array(z.string()),
});

/** Undefined when vcs stored nothing for the webhook. */
async function storedWebhook(redis: Redis, uuid: string) {
  const text = await redis.get(vcsKeys.manualWebhook(uuid));
  return text === null ? undefined : manualWebhook.parse(JSON.parse(text));
}

/** Whose webhook it may be: a server's, or a VCS project's, which CDS 0.51 and later have. */
function ownersOf({ api, servers, proxyWebhook = '' }: VcsConfig) {
  const ofServers = servers.map((server) => ({
    label: `Server: ${server.name}`,
    proxyWebhook: server.proxyWebhook,
  }));
  if (!isConsumerToken(api.token)) return ofServers;
  return [...ofServers, { label: 'VCS projects', proxyWebhook }];
}

interface PrintedWebhook extends Partial<z.infer<typeof manualWebhook>> {
  /** Whose it is, where it may be one of several. */
  label?: string;
  url: string;
  events: string[];
  secret: string;
}

function print(context: Context, webhooks: PrintedWebhook[], json: true | undefined): void {
  if (json) return context.out(formatJson(webhooks));
  for (const { label, repository, url, events, secret } of webhooks) {
    if (label !== undefined) context.out(`${label}\n`);
    if (repository !== undefined) context.out(`Repository: ${repository}\n`);
    context.out(`URL: ${url}\nEvents: ${events.join(', ')}\nSecret: ${secret}\n`);
  }
}
