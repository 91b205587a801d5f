import { isIP } from 'node:net';
import type { Rule } from '../descriptors';
import { LOG_LEVELS, parseLogLevel } from './log-level';
import { whatIsOdd, whyNotMeant, withoutLineBreak } from './odd-text';
import { parseRedisAddress, REDIS_FORMS } from './redis-address';

export type ConfigValue = string | number | boolean | readonly string[];

/** A value that a service can use, or why it cannot. Messages never quote a text: it may hold a secret. */
export type Verdict = { value: ConfigValue; warning?: string } | { error: string };

/** What would be right, in the words of the reference and of error messages. */
export function describeRule(rule: Rule): string {
  switch (rule.kind) {
    case 'text':
    case 'secret':
      return 'a text in quotes';
    case 'url':
      return 'an absolute http:// or https:// URL in quotes';
    case 'address':
      return 'an IP address or a host name in quotes, without a port';
    case 'redis':
      return `${REDIS_FORMS}, in quotes`;
    case 'key-prefix':
      return 'a text in quotes of at most 64 letters, digits and . _ : / -';
    case 'log-level':
      return `one of ${LOG_LEVELS.map((level) => `"${level}"`).join(', ')}`;
    case 'one-of':
      return `one of ${rule.values.map((value) => `"${value}"`).join(', ')}`;
    case 'secrets':
      return 'a list of texts: ["…", "…"]';
    case 'networks':
      return 'a list of IP addresses or networks: ["10.1.2.3", "10.0.0.0/8"]';
    case 'targets':
      return 'a list of host names, IP addresses or networks: ["*.example.com", "10.0.0.0/8"]';
    case 'boolean':
      return 'true or false, without quotes';
    case 'integer':
      return rule.max === undefined
        ? `a whole number from ${rule.min} up`
        : `a whole number from ${rule.min} to ${rule.max}`;
  }
}

/** Checks a value of a file, which has the type that TOML gave it. */
export function checkValue(rule: Rule, value: unknown): Verdict {
  const wrongType = { error: `must be ${describeRule(rule)}; it is ${typeName(value)}` };
  if (rule.kind === 'boolean') return typeof value === 'boolean' ? { value } : wrongType;
  if (rule.kind === 'integer') {
    if (typeof value !== 'number' && typeof value !== 'bigint') return wrongType;
    return typeof value === 'number' && isWithin(value, rule)
      ? { value }
      : { error: `must be ${describeRule(rule)}; it is ${value}` };
  }
  if (isListRule(rule)) {
    return Array.isArray(value) && value.every((item) => typeof item === 'string')
      ? checkList(rule, value)
      : wrongType;
  }
  return typeof value === 'string' ? checkText(rule, value) : wrongType;
}

/** Checks the text of an environment variable after turning it into the type of its key. */
export function checkEnvValue(rule: Rule, text: string): Verdict {
  const trimmed = text.trim();
  if (rule.kind === 'boolean') {
    // The spellings that Go's strconv.ParseBool takes, as CDS's own services use it.
    if (/^(1|t|true)$/i.test(trimmed)) return { value: true };
    if (/^(0|f|false)$/i.test(trimmed)) return { value: false };
    return { error: 'must be true or false' };
  }
  if (rule.kind === 'integer') {
    if (!/^[+-]?\d{1,15}$/.test(trimmed)) return { error: `must be ${describeRule(rule)}` };
    return checkValue(rule, Number(trimmed));
  }
  // As CDS's own services write lists in a variable.
  if (isListRule(rule)) return checkList(rule, text.split(','));
  return checkText(rule, text);
}

function isListRule(rule: Rule): boolean {
  return rule.kind === 'secrets' || rule.kind === 'networks' || rule.kind === 'targets';
}

function checkList(rule: Rule, items: readonly string[]): Verdict {
  if (rule.kind === 'secrets') return checkSecrets(items);
  const value = items.map((item) => item.trim()).filter((item) => item !== '');
  const reason = value.map(whyNotMeant).find((found) => found !== undefined);
  if (reason) return { error: reason };
  const isRight = rule.kind === 'networks' ? isNetwork : isTarget;
  const odd = value.findIndex((item) => !isRight(item));
  return odd < 0
    ? { value }
    : { error: `must be ${describeRule(rule)}; number ${odd + 1} of it is none` };
}

/** Spaces around one do not count; a line break at its end may, and may have come along. */
function checkSecrets(items: readonly string[]): Verdict {
  const value: string[] = [];
  const withBreak: number[] = [];
  for (const [index, item] of items.entries()) {
    const bare = item.trim();
    if (bare === '') continue;
    const reason = whyNotMeant(bare);
    if (reason) return { error: reason };
    value.push(bare);
    if (withoutLineBreak(item) === item) continue;
    value.push(bare + item.slice(withoutLineBreak(item).length));
    withBreak.push(index + 1);
  }
  if (withBreak.length === 0) return { value };
  return {
    value,
    warning: `number ${withBreak.join(', ')} of it ends with a line break: it counts with it and without; remove what no webhook was made with`,
  };
}

function isTarget(text: string): boolean {
  const isHostName = /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$/.test(text);
  // What looks like an address is one, or a typing error.
  return text === '*' || isNetwork(text) || (isHostName && !/^[\d.]+$/.test(text));
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
  );
}

function checkText(rule: Rule, text: string): Verdict {
  if (rule.kind === 'secret') return checkSecret(text, rule.lineBreak);
  const wrong = { error: `must be ${describeRule(rule)}` };
  // Around anything but a plain text a line break does no harm. A prefix says more exactly what it
  // may hold.
  const reason = whyNotMeant(rule.kind === 'text' ? text : text.trim());
  if (reason && rule.kind !== 'key-prefix') return { error: reason };
  switch (rule.kind) {
    case 'url':
      return checkUrl(text.trim());
    case 'redis':
      return parseRedisAddress(text) ? { value: text.trim() } : wrong;
    case 'key-prefix':
      // No space, and nothing that a pattern of SCAN or of an ACL takes for more than itself.
      return /^[\w.:/-]{0,64}$/.test(text) ? { value: text } : wrong;
    case 'address':
      return checkAddress(text.trim()) ?? wrong;
    case 'one-of': {
      const value = rule.values.find((each) => each === text.trim().toLowerCase());
      return value === undefined ? wrong : { value };
    }
    case 'log-level': {
      const level = parseLogLevel(text);
      return level
        ? { value: level }
        : { value: 'info', warning: `is ${describeRule(rule)}; anything else means "info"` };
    }
    default:
      // Passwords may begin or end with a space: what was written is what counts.
      return textWithWarning(text);
  }
}

/**
 * Taken as it is written: the secrets of webhooks, and the encryption of grants, are made of these
 * very bytes.
 *
 * @param advice how to get rid of a line break at the end
 */
function checkSecret(text: string, advice: string): Verdict {
  const bare = withoutLineBreak(text);
  if (bare === text || bare.trim() === '') {
    const reason = whyNotMeant(text);
    return reason ? { error: reason } : textWithWarning(text);
  }
  const reason = whyNotMeant(bare);
  if (reason) return { error: reason };
  const odd = whatIsOdd(bare);
  const warning = `ends with a line break, which counts: ${advice}`;
  return { value: text, warning: odd === undefined ? warning : `${warning}; it ${odd}` };
}

function textWithWarning(text: string): Verdict {
  const warning = whatIsOdd(text);
  return warning === undefined ? { value: text } : { value: text, warning };
}

function checkUrl(text: string): Verdict {
  const form = 'must be an absolute http:// or https:// URL';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:\/\/[^/]/i.test(text))
    return { error: `${form}, http://localhost:8081 for instance` };
  if (url.username || url.password) return { error: `${form} without a user name and password` };
  if (url.search || url.hash) return { error: `${form} without a query (?) and fragment (#)` };
  // The parser of URLs mends these; whoever reads the text as it stands does not.
  if (/[\s\\]|[?#]$/.test(text)) return { error: `${form} without spaces and backslashes` };
  if (url.port === '0') return { error: `${form}; there is no port 0` };
  return { value: text.replace(/\/+$/, '') };
}

function checkAddress(text: string): Verdict | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  const isHostName = /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(bare);
  return isIP(bare) !== 0 || isHostName ? { value: bare } : undefined;
}

function isWithin(value: number, rule: { min: number; max?: number }): boolean {
  return (
    Number.isSafeInteger(value) &&
    value >= rule.min &&
    value <= (rule.max ?? Number.MAX_SAFE_INTEGER)
  );
}

function typeName(value: unknown): string {
  if (typeof value === 'string') return 'a text in quotes';
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number';
  if (typeof value === 'boolean') return 'true or false';
  if (Array.isArray(value)) return 'a list';
  return value instanceof Date ? 'a date' : 'a table';
}
