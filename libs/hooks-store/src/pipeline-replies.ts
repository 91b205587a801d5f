import { isWrongType } from '@cds/redis';
import type { Redis } from 'ioredis';

/**
 * The replies of a pipeline; undefined for a key that holds another type of value.
 * @throws the first other error
 */
export async function readableOf(pipeline: ReturnType<Redis['pipeline']>): Promise<unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error && !isWrongType(error)) throw error;
    return error ? undefined : reply;
  });
}

/** The replies of a pipeline. @throws the first error among them */
export async function repliesOf(pipeline: ReturnType<Redis['pipeline']>): Promise<unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
