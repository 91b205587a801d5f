/** As every hook's URL looks; others (with an escape, for instance) are left to Express, which knows more of URLs. */
const WEBHOOK = /^\/webhook\/([\w.=+-]+)(?:\?|$)/;

/** The uuid of the hook that a request's URL is for; undefined for every other URL. */
export function uuidOfWebhookUrl(url: string): string | undefined {
  return WEBHOOK.exec(url)?.[1];
}
