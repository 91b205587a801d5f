import { isConsumerToken } from '@cds/wire';
import type { commonSections } from '../keys/common-sections';
import { HOOKS_SECTIONS, type SignatureMode } from '../keys/hooks-sections';
import type { ServiceName, Values } from '../keys/section';
import { DEFAULT_UI_URL, VCS_SECTIONS } from '../keys/vcs-sections';
import { readRedis } from './read-redis';
import { readSections } from './read-sections';
import { readServers } from './read-servers';
import type { Reading } from './reading';

/** All of `[vcs]`. What is wrong is reported; the result is only to be used when nothing is. */
export function readVcs(reading: Reading) {
  const { vcs, ui, ...values } = readSections(reading, VCS_SECTIONS);
  const { token } = values.api;
  const isConsumer = isConsumerToken(token);
  const key = webhookKey(reading, 'vcs', vcs.webhookKey);
  if (key === '' && isConsumer)
    reading.warning(
      reading.placeOf('vcs', 'webhookKey'),
      `is missing, so that secrets of webhooks are made of the token of [vcs], which [hooks] does not know: ${GIVE_BOTH_A_KEY}`,
    );
  return {
    name: vcs.name,
    url: vcs.url,
    ...common(reading, 'vcs', values),
    http: values.http,
    /** Undefined where the API has to be asked for it, as CDS 0.44 and later allow. */
    uiUrl: ui.uiUrl || (isConsumer ? undefined : DEFAULT_UI_URL),
    /** In front of webhooks of VCS projects; those of servers have their own. */
    ...(vcs.proxyWebhook !== '' && { proxyWebhook: vcs.proxyWebhook }),
    /** What the secrets of webhooks are made of. */
    webhookKey: key || token,
    /** None where all credentials are those of VCS projects: CDS 0.51 and later. */
    servers: readServers(reading, { areNeeded: !isConsumer }),
  };
}

/** All of `[hooks]`. What is wrong is reported; the result is only to be used when nothing is. */
export function readHooks(reading: Reading) {
  const { hooks, branchDeletion, reconcile, outgoing, ui, ...values } = readSections(
    reading,
    HOOKS_SECTIONS,
  );
  const { webhookKey: key, previousWebhookKeys, ...own } = hooks;
  const signatures = readSignatures(reading, {
    mode: hooks.signature,
    keys: [webhookKey(reading, 'hooks', key), ...previousWebhookKeys],
    token: values.api.token,
  });
  const { publicPort, publicAddr, ...http } = values.http;
  if (own.urlPublic === '')
    reading.warning(
      reading.placeOf('hooks', 'urlPublic'),
      'is empty: webhooks get hooks.URL, which Bitbucket must then be able to reach',
    );
  return {
    ...own,
    urlPublic: own.urlPublic || own.url,
    branchDeletion: {
      delaySeconds: branchDeletion.delaySeconds,
      /** Of a consumer that may remove runs. */
      ...(branchDeletion.token !== '' && { token: branchDeletion.token }),
    },
    ...{ reconcile, outgoing },
    /** The page for operators. */
    ...(ui.password !== '' && { ui: { password: ui.password, cdsUrl: ui.cdsUrl || undefined } }),
    ...common(reading, 'hooks', values),
    http: {
      ...http,
      /** Where webhooks alone are served, too. */
      ...(publicPort !== 0 && { public: { addr: publicAddr, port: publicPort } }),
    },
    ...signatures,
  };
}

function common(
  reading: Reading,
  service: ServiceName,
  { api, apiHttp, redis }: Values<ReturnType<typeof commonSections>>,
) {
  const { generation, ...session } = api;
  return {
    api: {
      ...session,
      ...apiHttp,
      /** Undefined where the API has to be asked for its version. */
      ...(generation !== 'auto' && { generation }),
    },
    redis: readRedis(reading, redis, (key) => reading.givenAt(service, 'cache', 'redis', key)),
  };
}

const GIVE_BOTH_A_KEY =
  'give [vcs] and [hooks] the same webhookKey, 32 random characters or more; `openssl rand -hex 32` prints some';

/**
 * How `hooks` checks signatures. The token of a consumer is no key: `vcs` has another one. Without
 * any key no signature can be checked, which is an error where someone asked for it.
 */
function readSignatures(
  reading: Reading,
  { mode, keys, token }: { mode: SignatureMode; keys: string[]; token: string },
) {
  const [key = '', ...previous] = keys;
  const present = key || (isConsumerToken(token) ? '' : token);
  /** What the secrets of webhooks are made of: the present key, then those before it. */
  const webhookKeys = [present, ...previous].filter((each) => each !== '');
  const isLost = mode !== 'off' && webhookKeys.length === 0 && token !== '';
  if (!isLost) return { signature: mode, webhookKeys };
  const isWanted = reading.isGiven('hooks', 'signature');
  reading[isWanted ? 'error' : 'warning'](
    reading.placeOf('hooks', 'webhookKey'),
    `is missing, so that ${isWanted ? `signature = "${mode}" cannot be kept` : 'signatures of deliveries are not checked'}: ${GIVE_BOTH_A_KEY}`,
  );
  return { signature: 'off' as const, webhookKeys };
}

/** Shorter keys can be guessed from one delivery, by trying. */
const SHORT_KEY = 16;

function webhookKey(reading: Reading, service: ServiceName, key: string): string {
  if (key !== '' && key.length < SHORT_KEY)
    reading.warning(
      reading.placeOf(service, 'webhookKey'),
      'is short: take 32 random characters or more, `openssl rand -hex 32` prints some',
    );
  return key;
}
