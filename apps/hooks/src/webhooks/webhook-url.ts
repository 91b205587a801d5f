/** As every hook's URL looks; others (with an escape, for instance) are left to Express, which knows more of URLs. */
const WEBHOOK = /^\/webhook\/([\w.=+-]+)(?:\?|$)/;

/** The uuid of the hook that a request's URL is for; undefined for every other URL. */
export function uuidOfWebhookUrl(url: string): string | undefined {
  return WEBHOOK.exec(url)?.[1];
}

/** A proxy may send the whole URL, which Express takes, too. */
const FOR_A_HOOK = /^(?:[A-Za-z]+:\/\/[^/?#]*)?\/webhook\//;

/** Whether a request's URL may be for a hook, whatever serves it. */
export function isWebhookUrl(url: string): boolean {
  return FOR_A_HOOK.test(url);
}
