import type { BenchCase } from '../bench-case';
import { cleanups } from './cleanups';
import { drain } from './drain';
import { intake } from './intake';
import { pushIdle } from './push-idle';

/** In the order of the table. */
export const CASES: readonly BenchCase[] = [intake, drain, pushIdle, cleanups];
