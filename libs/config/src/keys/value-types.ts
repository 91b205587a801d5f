import { isIP } from 'node:net';
import * as z from 'zod';
import { decoded, parseUrl } from '@cds/network';
import { keyType } from './key-type';
import { textWarning, textError, withoutLineBreak } from '../values/text-problems';
import { CDS_GENERATIONS, generationOf, type CdsGeneration } from '../values/cds-version';
import { parseRedisHost, REDIS_FORMS } from '../values/redis-host';

export type LogLevel = (typeof LOG_LEVELS)[number];
/** CDS's names of the log levels. */
export const LOG_LEVELS = ['debug', 'info', 'warning', 'error'] as const;

/** Says why a text is wrong; undefined where it is not. */
type Check = (text: string) => string | undefined;

/** Refuses a text with the sentence of `check`. */
const refuse = (check: Check) => (payload: z.core.ParsePayload<string>) => {
  const message = check(payload.value);
  if (message) payload.issues.push({ code: 'custom', message, input: payload.value });
};
/** Around anything but a plain text a space or a line break does no harm. */
const trimmed = () => z.string().trim().check(refuse(textError));
const anyOf = (values: readonly string[]) =>
  `one of ${values.map((value) => `"${value}"`).join(', ')}`;

/** Texts may begin or end with a space: what was written is what counts. */
export const text = keyType(z.string().check(refuse(textError)), {
  expected: 'a text in quotes',
  warn: textWarning,
});

/**
 * A text that a file or `echo` may have given a line break at its end. It is taken as it is
 * written: the secrets of webhooks, and the encryption of grants, are made of these very bytes.
 *
 * @param lineBreak how to get rid of a line break at the end
 */
export function secret(lineBreak: string) {
  return keyType(z.string().check(refuse((value) => textError(withoutLineBreak(value)))), {
    expected: 'a text in quotes',
    isSecret: true,
    warn(value) {
      const odd = textWarning(withoutLineBreak(value));
      if (withoutLineBreak(value) === value) return odd;
      const warning = `ends with a line break, which counts: ${lineBreak}`;
      return odd === undefined ? warning : `${warning}; it ${odd}`;
    },
  });
}

/** Fewer characters can be guessed. */
const MIN_PASSWORD = 16;

/** A password that people type. A line break at its end, as of a mounted file, does not count. */
export const password = keyType(
  z.string().transform(withoutLineBreak).check(refuse(passwordError)),
  {
    expected: 'a text in quotes',
    isSecret: true,
    warn: (value) => textWarning(withoutLineBreak(value)),
  },
);

function passwordError(given: string): string | undefined {
  const odd = textError(given);
  if (odd !== undefined || given === '' || given.length >= MIN_PASSWORD) return odd;
  return `is too short: take ${MIN_PASSWORD} characters or more; \`openssl rand -base64 24\` prints some`;
}

/** Absolute http or https URL, without credentials, query or fragment. */
export const httpUrl = keyType(
  trimmed()
    .check(refuse(urlError))
    .transform((url) => url.replace(/(?<!\/)\/+$/, '')),
  { expected: 'an absolute http:// or https:// URL in quotes' },
);

const ADDRESS = 'an IP address or a host name in quotes, without a port';
const HOST = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;
/** Address or host name to listen on, without a port. */
export const address = keyType(
  trimmed()
    .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
    .refine((host) => isIP(host) !== 0 || HOST.test(host), `must be ${ADDRESS}`),
  { expected: ADDRESS },
);

export const redisHost = keyType(
  trimmed().transform((host, context) => {
    const parsed = parseRedisHost(host);
    if (typeof parsed !== 'string') return parsed;
    context.addIssue(parsed);
    return z.NEVER;
  }),
  {
    ...{ expected: `${REDIS_FORMS}, in quotes`, isSecret: true },
    secretParts: passwordsOf,
  },
);

/** As it is written in a URL, and as it is sent. */
function passwordsOf(text: string): string[] {
  const password = text.includes('://') ? parseUrl(text)?.password : undefined;
  if (password === undefined) return [];
  return [password, decoded(password) ?? password];
}

const FILE = 'the absolute path of a file in quotes';
/** A relative path would mean anything: a service has the folder that its supervisor gives it. */
export const file = keyType(
  trimmed().refine((path) => path === '' || path.startsWith('/'), `must be ${FILE}`),
  { expected: FILE },
);

/** No space, and nothing that a pattern of SCAN or of an ACL takes for more than itself. */
export const keyPrefix = keyType(z.string().regex(/^[\w.:/-]{0,64}$/), {
  expected: 'a text in quotes of at most 64 letters, digits and . _ : / -',
});

export const logLevel = keyType(
  trimmed().transform((name): LogLevel => levelOf(name) ?? 'info'),
  {
    expected: anyOf(LOG_LEVELS),
    warn: (name) =>
      levelOf(name) ? undefined : `is ${anyOf(LOG_LEVELS)}; anything else means "info"`,
  },
);

const levelOf = (name: string) => LOG_LEVELS.find((level) => level === name.trim().toLowerCase());

export const oneOf = <const T extends readonly string[]>(values: T) =>
  keyType(trimmed().toLowerCase().pipe(z.enum(values)), { expected: anyOf(values) });

const FIRST_VERSIONS = CDS_GENERATIONS.map((first) => `"${first}"`);
const GENERATION = `"auto", or the version of CDS in quotes: ${FIRST_VERSIONS.join(', ')} or another from ${FIRST_VERSIONS[0]} up`;
/** The range of CDS versions; `auto` is found out. */
export const generation = keyType(
  trimmed()
    .toLowerCase()
    .transform((given, context): 'auto' | CdsGeneration => {
      const found = given === 'auto' ? given : generationOf(given);
      if (!found) context.addIssue(`must be ${GENERATION}`);
      return found ?? z.NEVER;
    }),
  { expected: GENERATION },
);

export const boolean = keyType(z.boolean(), {
  expected: 'true or false, without quotes',
  // The spellings that Go's strconv.ParseBool takes, as CDS's own services use it.
  fromVariable(value) {
    if (/^(1|t|true)$/i.test(value.trim())) return true;
    return /^(0|f|false)$/i.test(value.trim()) ? false : undefined;
  },
});

export const integer = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  keyType(z.int().min(min).max(max), {
    expected: `a whole number from ${min} ${max === Number.MAX_SAFE_INTEGER ? 'up' : `to ${max}`}`,
    fromVariable: (digits) => (/^[+-]?\d{1,15}$/.test(digits.trim()) ? Number(digits) : undefined),
  });

/** As CDS's own services write lists in a variable. */
const fromVariable = (items: string) => items.split(',');

/** Spaces around one do not count. Of each that ends with a line break both forms count. */
export const secrets = keyType(
  z
    .array(z.string().check(refuse((item) => textError(item.trim()))))
    .transform((items) => items.flatMap(formsOf)),
  {
    expected: 'a list of texts: ["…", "…"]',
    isSecret: true,
    fromVariable,
    warn(items) {
      const found = items.flatMap((item, index) => (formsOf(item).length > 1 ? index + 1 : []));
      if (found.length === 0) return undefined;
      return `has a line break at the end of item ${found.join(', ')}: it counts with it and without; remove what no webhook was made with`;
    },
  },
);

function formsOf(item: string): string[] {
  const bare = item.trim();
  if (bare === '') return [];
  const lineBreak = item.slice(withoutLineBreak(item).length);
  return lineBreak === '' ? [bare] : [bare, bare + lineBreak];
}

/** IP addresses, or networks as `10.0.0.0/8`. */
export const networks = listOf(
  'network',
  isNetwork,
  'a list of IP addresses or networks: ["10.1.2.3", "10.0.0.0/8"]',
);

/** Host names (`*.example.com`), IP addresses, networks, or `*`. */
export const targets = listOf(
  'target',
  isTarget,
  'a list of host names, IP addresses or networks: ["*.example.com", "10.0.0.0/8"]',
);

function listOf(noun: string, isRight: (item: string) => boolean, expected: string) {
  return keyType(
    z.array(z.string()).transform((items, context) => {
      const bare = items.map((item) => item.trim());
      const control = bare.map(textError).find((reason) => reason !== undefined);
      const wrong = bare.findIndex((item) => item !== '' && !isRight(item));
      if (control) context.addIssue(control);
      else if (wrong >= 0)
        context.addIssue(`item ${wrong + 1} is not a valid ${noun}; must be ${expected}`);
      return bare.filter((item) => item !== '');
    }),
    { expected, fromVariable },
  );
}

function isTarget(target: string): boolean {
  const isHostName = /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$/.test(target);
  // What looks like an address is one, or a typing error.
  return target === '*' || isNetwork(target) || (isHostName && !/^[\d.]+$/.test(target));
}

function isNetwork(network: string): boolean {
  const [host = '', bits = '0', ...more] = network.split('/');
  const version = isIP(host);
  const widest = version === 4 ? 32 : 128;
  return version !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= widest;
}

function urlError(given: string): string | undefined {
  const form = 'must be an absolute http:// or https:// URL';
  const url = parseUrl(given);
  if (!url || !/^https?:\/\/[^/]/i.test(given))
    return `${form}, http://localhost:8081 for instance`;
  if (url.username || url.password) return `${form} without a user name and password`;
  if (url.search || url.hash) return `${form} without a query (?) and fragment (#)`;
  // URL parsers repair these; a reader of the plain text does not.
  if (/[\s\\]|[?#]$/.test(given)) return `${form} without spaces and backslashes`;
  return url.port === '0' ? `${form}; there is no port 0` : undefined;
}
