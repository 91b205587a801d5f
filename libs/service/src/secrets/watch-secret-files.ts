import { readSecretFile, type SecretFile } from '@cds/config';
import type { Logger } from '../logs/create-logger';

/** A small file is in the cache of the kernel: reading it costs less than a log line. */
const INTERVAL_MS = 10_000;

/** Takes a new value. @returns false where only a restart can */
export type TakeSecret = (value: string) => boolean;

/**
 * Reads the files of secrets again from time to time, and hands over those that changed, each once.
 * What nobody takes is in a warning. Kubernetes mounts a new secret by replacing a link to its
 * folder, which no watcher of the file itself is told of.
 * @param o.take by variable (`CDS_VCS_API_TOKEN`); what it does not have needs a restart
 * @returns what ends it
 */
export function watchSecretFiles(o: {
  files: readonly SecretFile[];
  take: Readonly<Record<string, TakeSecret | undefined>>;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds, 10,000 when not given. */
  intervalMs?: number | undefined;
}): () => void {
  const { take, logger, intervalMs = INTERVAL_MS } = o;
  const watched = o.files.map(({ variable, file, value }) => ({
    ...{ variable, file, inUse: value, last: value, problem: '' },
  }));

  function look(secret: (typeof watched)[number]): void {
    const { variable, file } = secret;
    const read = readSecretFile(file);
    const about = { variable: `${variable}_FILE` };
    const problem = 'problem' in read ? read.problem : '';
    // While it is written anew it may be empty or gone for a moment.
    if (problem !== '' && problem !== secret.problem)
      logger.warn(
        { ...about, problem },
        'cannot read the file of a secret: the one before is used',
      );
    secret.problem = problem;
    if ('problem' in read || read.value === secret.last) return;
    secret.last = read.value;
    if (read.value === secret.inUse) return;
    if (take[variable]?.(read.value)) {
      secret.inUse = read.value;
      logger.info(about, 'secret taken from its changed file');
    } else {
      logger.warn({ ...about, advice: adviceFor(variable) }, 'file of a secret changed: restart');
    }
  }

  if (watched.length === 0) return () => undefined;
  const timer = setInterval(() => watched.forEach(look), intervalMs).unref();
  return () => clearInterval(timer);
}

function adviceFor(variable: string): string {
  if (variable.endsWith('_CLIENTSECRET'))
    return 'it encrypts the stored grants: restart vcs to use it, then link every project again';
  if (/WEBHOOKKEYS?$/.test(variable))
    return 'webhooks are signed with it: put the one before into hooks.previousWebhookKeys, then restart vcs and hooks';
  return 'restart the service to use it';
}
