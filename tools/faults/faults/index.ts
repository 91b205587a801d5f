import type { Fault } from './fault';
import { HOOKS_KILLED } from './hooks-killed';
import { HOOKS_STOPPED } from './hooks-stopped';

/** The matrix. */
export const FAULTS: readonly Fault[] = [...HOOKS_KILLED, ...HOOKS_STOPPED];
