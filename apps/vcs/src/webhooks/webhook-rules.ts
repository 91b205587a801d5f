import type { BbHook } from '@cds/bitbucket';
import { hookUuidOf } from '@cds/webhook-signature';
import { shorten } from '../http/shorten';
import { DEFAULT_EVENTS } from './hook-events';
import { beginningOf, type KnownHere, type KnownWebhook } from './webhook-store';
import { proxiedUrl } from './proxied-url';

const DESCRIPTION = 'CDS webhook - ';
/** No longer text is known to be taken. */
const MAX_DESCRIPTION = 255;

/** As `hooks` makes them, with room for other makers. */
const UUID = /^[A-Za-z0-9][A-Za-z0-9_-]{7,127}$/;

export type WebhookFault = 'unsigned' | 'inactive' | 'other key';

/** The description of a webhook by which a person sees whose it is. */
export function describeWebhook(name: string): string {
  return shorten(`${DESCRIPTION}${name}`, MAX_DESCRIPTION);
}

/** Whether a webhook says of itself that CDS made it. */
export function saysCds(hook: BbHook): boolean {
  return hook.description.startsWith(DESCRIPTION);
}

/**
 * Whether a webhook is of this CDS: it says so, and its URL is one that `vcs` put in force or the API named, or leads to
 * the same `hooks` as such a one, or to `proxyWebhook`. Another CDS may have webhooks in the same repository, and a secret
 * of ours on them would shut it out.
 */
export function isOurs(hook: BbHook, known: KnownHere, proxyWebhook: string): boolean {
  if (!saysCds(hook) || !UUID.test(hookUuidOf(hook.url))) return false;
  if (known.webhooks.has(hook.url)) return true;
  const beginning = beginningOf(hook.url);
  const proxied = proxyWebhook !== '' && beginning === beginningOf(proxiedUrl('', proxyWebhook));
  return proxied || known.beginnings.has(beginning);
}

/** Why a webhook of ours has to be put right; empty when nothing is wrong. */
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

/** The events that it has, with those that the API wants. Bitbucket takes no webhook without any. */
export function eventsAfterRepair(hook: BbHook, known: KnownWebhook | undefined): string[] {
  const events = [...new Set([...hook.events, ...(known?.events ?? [])])];
  return events.length > 0 ? events : [...DEFAULT_EVENTS];
}
