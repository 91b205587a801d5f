import { whyNoWrites } from './why-no-writes';

export interface WritesDeps {
  logger: { error(fields: object, message: string): void };
  /** The log's message: what does not work meanwhile. */
  loss: string;
}

/** Whether Redis takes writes, as the writes of this process tell. */
export interface Writes {
  /** How a write ended: undefined, or the error. */
  note(error: unknown): void;
  /** Why Redis refused one, until it takes one again; undefined where it takes them. */
  refusal(): string | undefined;
}

/**
 * Logs one ERROR for each reason for which Redis begins to refuse writes. PING and reads tell
 * nothing of that.
 */
export function createWrites({ logger, loss }: WritesDeps): Writes {
  let why: string | undefined;
  return {
    note(error) {
      const refused = whyNoWrites(error);
      // What broke off tells nothing: a read-only replica is left at each refusal, for a new
      // connection.
      if (refused === why || (refused === undefined && error !== undefined)) return;
      why = refused;
      if (why !== undefined) logger.error({ why }, loss);
    },
    refusal: () => why,
  };
}
