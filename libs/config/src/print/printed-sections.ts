import { PRINTED_SECTIONS } from '../keys';
import type { Key, Section, ServiceName } from '../keys/section';

export interface PrintOptions {
  services: readonly ServiceName[];
  /** The shared.infra token, printed in place of the placeholder. */
  token?: string | undefined;
  /** Leave `[log]` out, because the file has one already. */
  omitLog?: boolean | undefined;
}

/** The sections that are printed, in this order. */
export function printedSections({ services, omitLog }: PrintOptions): Section[] {
  const names = omitLog ? services : [...services, 'log' as const];
  return names.flatMap((name) => PRINTED_SECTIONS[name]);
}

/** What is printed as the value of a key. */
export function printedValue(key: Key, token: string | undefined): Key['default'] {
  if (key.name === 'token' && token !== undefined) return token;
  return key.placeholder ?? key.default;
}
