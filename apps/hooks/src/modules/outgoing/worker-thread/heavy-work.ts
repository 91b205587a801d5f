import { InterpolateError } from '@cds/interpolate';
import { callLogOf } from '../call-log';
import { fillIn } from '../fill-in';
import { fillPayload } from '../fill-payload';

/** Work on one user's data that may take long. Pure: input and output are copied to threads. */
const HEAVY_WORK = { fillIn, fillPayload, callLogOf };

type HeavyWork = typeof HEAVY_WORK;
export type WorkName = keyof HeavyWork;
export type OrderOf<Name extends WorkName> = Parameters<HeavyWork[Name]>[0];
export type ResultOf<Name extends WorkName> = ReturnType<HeavyWork[Name]>;

export interface WorkMessage {
  name: WorkName;
  order: unknown;
}

/** `refused`: the message of an InterpolateError. */
export type WorkReply = { result: unknown } | { refused: string };

/** @throws errors that are not the user's */
export function doHeavyWork({ name, order }: WorkMessage): WorkReply {
  try {
    const work = HEAVY_WORK[name] as (order: unknown) => unknown;
    return { result: work(order) };
  } catch (error) {
    if (!(error instanceof InterpolateError)) throw error;
    return { refused: error.message };
  }
}
