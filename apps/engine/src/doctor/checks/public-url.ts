import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { whyUnreachable } from '@cds/config';
import type { ProxySettings } from '@cds/network';
import * as z from 'zod';
import { askUrl } from '../../ask-url';
import { reasonOf } from '../../command-error';
import { type Check, failed, ok, type Outcome, skipped, warning } from '../finding';

/** Where Bitbucket delivers. */
export interface PublicTarget {
  /** The key of the configuration. */
  key: string;
  /** Up to the slash before the uuid of a hook. */
  prefix: string;
  proxies: ProxySettings | undefined;
}

/**
 * Can Bitbucket reach it? Asked from this machine, which may see another network than Bitbucket:
 * said with each answer.
 */
export function publicChecks(target: PublicTarget): Check[] {
  const subject = target.key;
  const needs = [`public.name ${subject}`];
  return [
    { id: 'public.name', subject, run: () => named(target) },
    { id: 'public.tls', subject, needs, run: (signal) => certificate(target, signal) },
    { id: 'public.answer', subject, needs, run: (signal) => answers(target, signal) },
  ];
}

function hostOf({ prefix }: PublicTarget): string {
  return new URL(prefix).hostname.replace(/^\[(.*)\]$/, '$1');
}

const FROM_HERE = 'asked from this machine';

async function named(target: PublicTarget): Promise<Outcome> {
  const { key, prefix } = target;
  const fix = `set ${key} to a URL that the internet resolves, of a reverse proxy or tunnel in front of hooks`;
  const why = whyUnreachable(prefix);
  if (why !== undefined) return failed(`${prefix} ${why}: Bitbucket cannot call it`, fix);
  const host = hostOf(target);
  if (isIP(host) !== 0) return ok(`${host} is a public address`);
  let addresses: string[];
  try {
    addresses = (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    const { code = reasonOf(error) } = error as NodeJS.ErrnoException;
    if (target.proxies?.proxyFor(new URL(prefix)) !== undefined)
      return warning(
        `DNS here does not know ${host} (${code}), and this machine reaches it through a proxy`,
        'ask elsewhere whether the public DNS knows it: nslookup ' + host,
      );
    return failed(
      `DNS does not know ${host} (${code}; ${FROM_HERE})`,
      `make a record for it in the public DNS, or correct ${key}`,
    );
  }
  const inner = addresses.filter(
    (each) => whyUnreachable(`http://${isIP(each) === 6 ? `[${each}]` : each}`) !== undefined,
  );
  if (inner.length === 0) return ok(`${host} is ${addresses.join(', ')} (${FROM_HERE})`);
  return warning(
    `${host} is ${inner.join(', ')} here, an address of a private network`,
    'see that the public DNS names a public address: Bitbucket does not see this one',
  );
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;
/** Characters: a certificate may have hundreds of names. */
const MAX_NAMES = 200;

async function certificate(target: PublicTarget, signal: AbortSignal): Promise<Outcome> {
  const url = new URL(target.prefix);
  if (url.protocol !== 'https:')
    return warning(
      'deliveries come over http: everybody in between may read them',
      'put a reverse proxy with a certificate in front of hooks',
    );
  if (target.proxies?.proxyFor(url) !== undefined)
    return skipped(
      'not checked: this machine reaches it through a proxy alone',
      `openssl s_client -connect ${url.host} from elsewhere shows it`,
    );
  const host = hostOf(target);
  const socket = connect({
    ...{ host, port: Number(url.port || 443), rejectUnauthorized: false, timeout: 10_000 },
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve).once('error', reject);
      socket.once('timeout', () => reject(new Error('no answer within 10 s')));
    });
    return certificateOutcome(socket, host);
  } catch (error) {
    return failed(
      `no TLS at ${url.host}: ${reasonOf(error)} (${FROM_HERE})`,
      'does the reverse proxy run, and do firewalls let it be called?',
    );
  } finally {
    socket.destroy();
  }
}

function certificateOutcome(socket: TLSSocket, host: string): Outcome {
  const { valid_to: ends, subjectaltname: names = 'no name' } = socket.getPeerCertificate();
  if (socket.authorized) {
    const days = Math.floor((Date.parse(ends) - Date.now()) / DAY_MS);
    const text = `its certificate is valid for ${days} more days`;
    return days < SOON_DAYS ? warning(text, 'renew it') : ok(text);
  }
  // Node.js sets its code, in spite of the declared type.
  const why = String(socket.authorizationError);
  if (why === 'CERT_HAS_EXPIRED') return failed(`its certificate has ended on ${ends}`, 'renew it');
  return failed(
    why === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? `${host} is not in its certificate, which is for ${names.slice(0, MAX_NAMES)}`
      : `its certificate is not to be trusted: ${why}`,
    'Bitbucket wants one of a public authority, for this name, with its intermediate certificates',
  );
}

const errorBody = z.object({ id: z.number(), message: z.string(), uuid: z.string() });

/**
 * Calls a hook that does not exist, in a way that hooks refuses before it looks at anything:
 * nothing is stored, counted against anybody, or warned of.
 */
async function answers(target: PublicTarget, signal: AbortSignal): Promise<Outcome> {
  const url = `${target.prefix}engine-doctor`;
  const fix =
    'lead the path of webhooks to hooks, as the guide says in "Show webhooks to the internet"';
  try {
    const { proxies } = target;
    const answer = await askUrl({ method: 'PATCH', url, proxies, signal });
    const isOurs = answer.status === 405 && errorBody.safeParse(answer.json).success;
    if (isOurs) return ok(`hooks answers there (${FROM_HERE}; Bitbucket may see another network)`);
    if (answer.status === 405)
      return warning(
        `something in front of hooks refuses PATCH, so it is not known whether hooks is behind it (${FROM_HERE})`,
        'push something, then: engine hooks why',
      );
    return failed(
      `something else answers ${answer.status} at ${target.prefix} (${FROM_HERE})`,
      fix,
    );
  } catch (error) {
    return failed(`${target.prefix}: ${reasonOf(error)} (${FROM_HERE})`, fix);
  }
}
