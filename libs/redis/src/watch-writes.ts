import { whyNoWrites } from './why-no-writes';

export interface WritesDeps {
  logger: { error(fields: object, message: string): void };
  /** The log's message: what does not work meanwhile. */
  loss: string;
}

/** Whether Redis takes writes, by the results of this process's writes. */
export interface Writes {
  /** How a write ended: undefined, or the error. */
  note(error: unknown): void;
  /** Why Redis refused one, until it takes one again; undefined where it takes them. */
  refusal(): string | undefined;
}

/**
 * Logs one ERROR for each reason for which Redis begins to refuse writes. PING and reads would not
 * show it.
 */
export function createWrites({ logger, loss }: WritesDeps): Writes {
  let why: string | undefined;
  return {
    note(error) {
      const refused = whyNoWrites(error);
      // An interrupted write shows nothing: a read-only replica is left at each refusal, for a new
      // connection.
      if (refused === why || (refused === undefined && error !== undefined)) return;
      why = refused;
      if (why !== undefined) logger.error({ why }, loss);
    },
    refusal: () => why,
  };
}
