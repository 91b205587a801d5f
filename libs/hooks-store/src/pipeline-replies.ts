import { isWrongType } from '@cds/redis';
import type { Redis } from 'ioredis';

/**
 * The replies of a pipeline; undefined for an error that `isLeftOut` accepts.
 * @throws the first other error
 */
export async function repliesOf(
  pipeline: ReturnType<Redis['pipeline']>,
  isLeftOut: (error: Error) => boolean = () => false,
): Promise<unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error && !isLeftOut(error)) throw error;
    return error ? undefined : reply;
  });
}

/** The same; undefined for a key that holds another type of value. */
export const readableOf = (pipeline: ReturnType<Redis['pipeline']>) =>
  repliesOf(pipeline, isWrongType);

/** Null for a key of another type; the next write to the hook repairs it. */
export async function unlessOfAnotherType(read: Promise<string | null>): Promise<string | null> {
  try {
    return await read;
  } catch (error) {
    if (isWrongType(error)) return null;
    throw error;
  }
}

/** From the reply to WITHSCORES: member, score, member…. */
export function scoresOf(flat: readonly string[]): Map<string, number> {
  const scores = new Map<string, number>();
  for (let i = 0; i + 1 < flat.length; i += 2) scores.set(flat[i] ?? '', Number(flat[i + 1]));
  return scores;
}
