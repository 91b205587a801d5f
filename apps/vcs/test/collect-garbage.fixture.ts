import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects all garbage now: what nothing holds any more is gone after that. */
export const collectGarbage = runInNewContext('gc') as () => void;
