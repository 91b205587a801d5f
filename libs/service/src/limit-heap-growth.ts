import { setFlagsFromString } from 'node:v8';

const GROWTH_PERCENT = 100;

/**
 * Lets the heap of this process double before V8 collects what is no longer used. By itself V8 lets
 * a small heap grow to four times its size, and beyond it on a busy machine: strangers with 60 KB
 * of headers each took up to 500 MB.
 *
 * To be called before there is much to collect. V8 reads this flag at each collection.
 */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
