import type { BbHook } from '@cds/bitbucket';
import { hookUuidOf } from '@cds/webhook-signature';
import { shorten } from '../http/shorten';
import { DEFAULT_EVENTS } from './hook-events';
import { urlPrefixOf, type RepositoryWebhooks, type KnownWebhook } from './webhook-store';

const DESCRIPTION = 'CDS webhook - ';
/** Bitbucket is not known to take a longer text. */
const MAX_DESCRIPTION = 255;

/** The uuids that `hooks` makes, with room for other makers. */
const UUID = /^[A-Za-z0-9][A-Za-z0-9_-]{7,127}$/;

export type WebhookFault = 'unsigned' | 'inactive' | 'other key';

/** The description of a webhook by which a person sees whose it is. */
export function describeWebhook(name: string): string {
  return shorten(`${DESCRIPTION}${name}`, MAX_DESCRIPTION);
}

/** Whether the description of a webhook says that CDS made it. */
export function saysCds(hook: BbHook): boolean {
  return hook.description.startsWith(DESCRIPTION);
}

/**
 * Whether a webhook is of this CDS: its description says so, and its URL is known, or has a known
 * prefix or that of `proxyWebhook`. A secret of ours would shut out another CDS.
 */
export function isOurs(hook: BbHook, known: RepositoryWebhooks, proxyWebhook: string): boolean {
  if (!saysCds(hook) || !UUID.test(hookUuidOf(hook.url))) return false;
  if (known.webhooks.has(hook.url)) return true;
  const prefix = urlPrefixOf(hook.url);
  const proxied = proxyWebhook !== '' && prefix === urlPrefixOf(proxiedUrl('', proxyWebhook));
  return proxied || known.urlPrefixes.has(prefix);
}

/** The faults of a webhook of ours; empty when it needs no repair. */
export function faultsOf(
  hook: BbHook,
  known: KnownWebhook | undefined,
  fingerprint: string,
): WebhookFault[] {
  const faults: WebhookFault[] = [];
  if (hook.secretSet === false) faults.push('unsigned');
  else if (known?.key !== fingerprint) faults.push('other key');
  if (!hook.active) faults.push('inactive');
  return faults;
}

/** The webhook's events and those that the API wants. Bitbucket refuses a webhook without any. */
export function eventsAfterRepair(hook: BbHook, known: KnownWebhook | undefined): string[] {
  const events = [...new Set([...hook.events, ...(known?.events ?? [])])];
  return events.length > 0 ? events : [...DEFAULT_EVENTS];
}

/**
 * The URL that Bitbucket gets for a hook: behind `proxyWebhook` only the uuid is kept. The API uses
 * the hook's own URL, so every lookup rewrites it.
 * @param proxyWebhook `https://proxy.example`, or '' for none
 */
export function proxiedUrl(url: string, proxyWebhook: string): string {
  if (proxyWebhook === '') return url;
  return `${proxyWebhook.replace(/(?<!\/)\/+$/, '')}/${hookUuidOf(url)}`;
}
