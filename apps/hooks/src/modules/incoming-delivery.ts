import type { IncomingHttpHeaders } from 'node:http';
import type { RefChange } from '@cds/hooks-store';
import type { TaskType } from '@cds/wire';

/** A request to `/webhook/{uuid}` whose body was read and whose signature was verified. */
export interface IncomingDelivery {
  /** Of the hook. */
  uuid: string;
  method: string;
  /** Raw, without the question mark. */
  query: string;
  /** Names in lower case, as Node has them. */
  headers: IncomingHttpHeaders;
  /** Name, value, name, value…, as they came. */
  rawHeaders: string[];
  /** The raw bytes. */
  body: Buffer;
  /** A delivery with a wrong signature is refused before this exists. */
  signature: 'right' | 'none';
  /** Of the sender, as far as trusted proxies tell it. */
  address: string;
  /** Names the request in the log, from here to the run. */
  requestId: string;
}

/** Whether a delivery leads to runs (`accept`), to nothing (`ignore`), or cannot be read. */
export type Validation =
  /** `unreadable`: what is wrong with the changes that are left out. */
  | { kind: 'accept'; changes?: RefChange[]; unreadable?: readonly string[] }
  /** Stored as done. */
  | { kind: 'ignore'; event: string }
  /** `reason`: what its sender has to change. */
  | { kind: 'refuse'; reason: string };

/** How hooks of one type take deliveries. */
export interface DeliveryValidator {
  type: TaskType;
  /** Validates a delivery before anything of it is stored. Pure. */
  validate(delivery: IncomingDelivery): Validation;
  /**
   * Whether the headers are those of a sender that delivers to such hooks. Only Redis knows the type;
   * a wrong guess costs a second round trip.
   */
  isLikely?(headers: IncomingHttpHeaders): boolean;
  /**
   * Set where any sender may deliver. Some sign with `sha1=…` for receivers of their own: that
   * counts as no signature then, and as a wrong one elsewhere.
   */
  anySender?: boolean;
}
