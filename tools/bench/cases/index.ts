import type { BenchCase } from '../bench-case';
import { branches } from './branches';
import { calls } from './calls';
import { intake } from './intake';
import { repositories } from './repositories';
import { scale } from './scale';
import { start } from './start';

/** In the order of the table. */
export const CASES: readonly BenchCase[] = [intake, repositories, branches, calls, start, scale];
