import { whyNoWrites } from './why-no-writes';

export interface WritesDeps {
  logger: { error(fields: object, message: string): void };
  /** Log message: what does not work meanwhile. */
  loss: string;
}

/** Whether Redis takes writes, by the results of this process's writes. */
export interface Writes {
  /** The result of a write: undefined, or the error. */
  note(error: unknown): void;
  /** Why Redis refuses writes; undefined where it takes them. */
  refusal(): string | undefined;
}

/**
 * Logs one ERROR for each reason for which Redis begins to refuse writes; PING and reads do not
 * show it.
 */
export function createWrites({ logger, loss }: WritesDeps): Writes {
  let why: string | undefined;
  return {
    note(error) {
      const refused = whyNoWrites(error);
      // An interrupted write shows nothing: a read-only refusal closes the connection.
      if (refused === why || (refused === undefined && error !== undefined)) return;
      why = refused;
      if (why !== undefined) logger.error({ why }, loss);
    },
    refusal: () => why,
  };
}
