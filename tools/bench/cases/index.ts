import type { BenchCase } from '../bench-case';
import { backlog } from './backlog';
import { branches } from './branches';
import { calls } from './calls';
import { cleanups } from './cleanups';
import { drain } from './drain';
import { hostile } from './hostile';
import { intake } from './intake';
import { latency } from './latency';
import { manyHooks } from './many-hooks';
import { pushIdle } from './push-idle';
import { repositories } from './repositories';
import { scale } from './scale';
import { start } from './start';
import { unsigned } from './unsigned';
import { workingOff } from './working-off';

/** In the order of the table. */
export const CASES: readonly BenchCase[] = [
  intake,
  workingOff,
  unsigned,
  backlog,
  latency,
  hostile,
  drain,
  pushIdle,
  cleanups,
  manyHooks,
  repositories,
  branches,
  calls,
  start,
  scale,
];
