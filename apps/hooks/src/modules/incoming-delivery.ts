import type { IncomingHttpHeaders } from 'node:http';
import type { RefChange } from '@cds/hooks-store';
import type { TaskType } from '@cds/wire';

/** A request to `/webhook/{uuid}` whose body was read and whose signature was verified. */
export interface IncomingDelivery {
  uuid: string;
  method: string;
  /** Raw, without the question mark. */
  query: string;
  /** Names in lower case. */
  headers: IncomingHttpHeaders;
  /** Name, value, name, value, …. */
  rawHeaders: string[];
  body: Buffer;
  /** A delivery with a wrong signature is refused before this exists. */
  signature: 'right' | 'none';
  /** Of the sender, as trusted proxies forward it. */
  address: string;
  requestId: string;
  /** W3C trace context, where traces are on. */
  traceparent?: string | undefined;
}

/** Whether a delivery leads to runs (`accept`), to nothing (`ignore`), or cannot be read. */
export type Validation =
  /** `unreadable`: what is wrong with the changes that are left out. */
  | { kind: 'accept'; changes?: RefChange[]; unreadable?: readonly string[] }
  /** The delivery is stored as done. */
  | { kind: 'ignore'; event: string }
  /** `reason`: what its sender has to change. */
  | { kind: 'refuse'; reason: string };

/** How deliveries to hooks of one type are validated. */
export interface DeliveryValidator {
  type: TaskType;
  /** Called before anything is stored. Pure. */
  validate(delivery: IncomingDelivery): Validation;
  /**
   * Whether the headers look like a delivery to such a hook. Only Redis knows the type; a wrong
   * guess costs a second round trip.
   */
  isLikely?(headers: IncomingHttpHeaders): boolean;
  /**
   * Any sender may deliver. Some sign with `sha1=…` for other receivers: that counts as no
   * signature then, and as a wrong one elsewhere.
   */
  anySender?: boolean;
}
