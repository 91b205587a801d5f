import type { ServiceName } from '../config-types';
import {
  LOG_SECTIONS,
  SERVICE_SECTIONS,
  type KeyDescriptor,
  type SectionDescriptor,
} from '../descriptors';

export interface PrintOptions {
  services: readonly ServiceName[];
  /** The shared.infra token, printed in place of the placeholder. */
  token?: string | undefined;
  /** Leave `[log]` out, because the file has one already. */
  omitLog?: boolean | undefined;
}

/** The sections that are printed, in this order. */
export function printedSections({ services, omitLog }: PrintOptions): SectionDescriptor[] {
  return [
    ...services.flatMap((service) => SERVICE_SECTIONS[service]),
    ...(omitLog ? [] : LOG_SECTIONS),
  ];
}

/** What is printed as the value of a key. */
export function printedValue(
  key: KeyDescriptor,
  token: string | undefined,
): KeyDescriptor['default'] {
  if (key.name === 'token' && token !== undefined) return token;
  return key.placeholder ?? key.default;
}
