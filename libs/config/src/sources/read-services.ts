import type { commonSections } from '../keys/common-sections';
import { HOOKS_SECTIONS } from '../keys/hooks-sections';
import type { ServiceName, Values } from '../keys/section';
import { VCS_SECTIONS } from '../keys/vcs-sections';
import { readSections } from './read-sections';
import { readServers } from './read-servers';
import type { Reading } from './reading';

/** All of `[vcs]`. What is wrong is reported; the result is only to be used when nothing is. */
export function readVcs(reading: Reading) {
  const { vcs, ui, ...values } = readSections(reading, VCS_SECTIONS);
  return {
    name: vcs.name,
    url: vcs.url,
    ...common(values),
    http: values.http,
    ...ui,
    /** What the secrets of webhooks are made of. */
    webhookKey: webhookKey(reading, 'vcs', vcs.webhookKey) || values.api.token,
    servers: readServers(reading),
  };
}

/** All of `[hooks]`. What is wrong is reported; the result is only to be used when nothing is. */
export function readHooks(reading: Reading) {
  const { hooks, branchDeletion, reconcile, outgoing, ...values } = readSections(
    reading,
    HOOKS_SECTIONS,
  );
  const { webhookKey: key, previousWebhookKeys, ...own } = hooks;
  const { publicPort, publicAddr, ...http } = values.http;
  if (own.urlPublic === '')
    reading.warn(
      reading.placeOf('hooks', 'urlPublic'),
      'is empty: webhooks get hooks.URL, which Bitbucket must then be able to reach',
    );
  return {
    ...own,
    urlPublic: own.urlPublic || own.url,
    ...{ branchDeletion, reconcile, outgoing },
    ...common(values),
    http: {
      ...http,
      /** Where webhooks alone are served, too. */
      ...(publicPort !== 0 && { public: { addr: publicAddr, port: publicPort } }),
    },
    /** What the secrets of webhooks are made of: the present key, then those before it. */
    webhookKeys: [webhookKey(reading, 'hooks', key) || values.api.token, ...previousWebhookKeys],
  };
}

function common({ api, apiHttp, redis }: Values<ReturnType<typeof commonSections>>) {
  return { api: { ...api, ...apiHttp }, redis };
}

/** Shorter keys can be guessed from one delivery, by trying. */
const SHORT_KEY = 16;

function webhookKey(reading: Reading, service: ServiceName, key: string): string {
  if (key !== '' && key.length < SHORT_KEY)
    reading.warn(
      reading.placeOf(service, 'webhookKey'),
      'is short: take 32 random characters or more, `openssl rand -hex 32` prints some',
    );
  return key;
}
