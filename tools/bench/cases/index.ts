import type { BenchCase } from '../bench-case';
import { intake } from './intake';

/** In the order of the table. */
export const CASES: readonly BenchCase[] = [intake];
