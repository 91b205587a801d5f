import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { KNOWN_ERRORS, type KnownErrorName } from './known-errors';

/** The body of every refusal of a CDS service. */
export const cdsErrorBodySchema = z
  .object({
    id: z.int().describe("CDS's number of the error."),
    message: z.string().describe('What went wrong and, after `from:`, what to do about it.'),
    data: z.null(),
    uuid: z.uuid().describe('New for each error, and logged with it.'),
  })
  .meta({ id: 'CdsError' });

/** An error body of any CDS, as far as each has it. */
interface ReceivedErrorBody {
  id: number;
  message: string;
  /** CDS 0.44 and later. */
  from?: unknown;
}

/** Bounds messages of other services. */
const MAX_FROM_LENGTH = 2_000;

export interface CdsErrorOptions {
  /** What went wrong this time and what to do about it. The caller sees it: no secret is in it. */
  from?: string | undefined;
  /** Replaces the known error's HTTP status, where an upstream status has to reach the caller. */
  status?: number | undefined;
  /** Headers of the answer, `Retry-After` for instance. */
  headers?: Record<string, string> | undefined;
  /** The error that led to this one; logged, never sent. */
  cause?: unknown;
}

/** An error that a caller sees as CDS's error body. `message`: the known sentence, `(from: …)`. */
export class CdsError extends Error {
  override readonly name = 'CdsError';
  readonly id: number;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly uuid = randomUUID();
  readonly #from: string | undefined;

  constructor(
    readonly kind: KnownErrorName,
    options: CdsErrorOptions = {},
  ) {
    const known = KNOWN_ERRORS[kind];
    const from = options.from?.slice(0, MAX_FROM_LENGTH);
    super(from ? `${known.message} (from: ${from})` : known.message, { cause: options.cause });
    this.#from = from;
    this.id = known.id;
    this.status = options.status ?? known.status;
    this.headers = options.headers ?? {};
  }

  /** The JSON that goes to the caller. */
  toBody(): z.infer<typeof cdsErrorBodySchema> {
    return { id: this.id, message: this.message, data: null, uuid: this.uuid };
  }

  /**
   * The same for a caller of CDS 0.44 and later: `from` stands beside the message.
   * @param requestId of the request, which the caller logs, too
   */
  toBodyWithFrom(requestId: string) {
    return {
      id: this.id,
      message: KNOWN_ERRORS[this.kind].message,
      uuid: this.uuid,
      request_id: requestId,
      ...(this.#from && { from: this.#from }),
    };
  }
}

/** Whether `error` is a {@link CdsError}. */
export function isCdsError(error: unknown): error is CdsError {
  return error instanceof CdsError;
}

const isText = (value: unknown): boolean => typeof value === 'string';

/** Whether `body` is an error body of any CDS, so that a refusal is the API's and not a proxy's. */
export function isCdsErrorBody(body: unknown): body is ReceivedErrorBody {
  if (typeof body !== 'object' || body === null) return false;
  const { id, message, uuid, request_id } = body as Partial<Record<string, unknown>>;
  return typeof id === 'number' && typeof message === 'string' && isText(uuid ?? request_id);
}
