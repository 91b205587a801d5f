import { API_FAILS } from './api-fails';
import type { Fault } from './fault';
import { HOOKS_KILLED } from './hooks-killed';
import { HOOKS_STOPPED } from './hooks-stopped';
import { REDIS_AWAY } from './redis-away';

/** The matrix. */
export const FAULTS: readonly Fault[] = [
  ...HOOKS_KILLED,
  ...HOOKS_STOPPED,
  ...REDIS_AWAY,
  ...API_FAILS,
];
