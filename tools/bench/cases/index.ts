import type { BenchCase } from '../bench-case';
import { backlog } from './backlog';
import { intake } from './intake';
import { latency } from './latency';
import { manyHooks } from './many-hooks';

/** In the order of the table. */
export const CASES: readonly BenchCase[] = [intake, backlog, latency, manyHooks];
