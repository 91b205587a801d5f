import type { Finding } from './finding';

/** Shorter ones occur in words. */
const SHORTEST_SECRET = 6;

/** The finding without secrets, before it becomes JSON or one line, which would change them. */
export function hideSecrets(finding: Finding, secrets: readonly string[]): Finding {
  const { subject, message, fix } = finding;
  // One may begin with another.
  const all = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
  const hide = (text: string) => all.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return {
    ...{ ...finding, subject: hide(subject), message: hide(message) },
    ...(fix !== undefined && { fix: hide(fix) }),
  };
}
