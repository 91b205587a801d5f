import { API_FAILS } from './api-fails';
import { CDS_VERSIONS } from './cds-versions';
import { CLEANUPS } from './cleanups';
import { CLOCK_JUMPS } from './clock-jumps';
import { FAILOVER } from './failover';
import type { Fault } from './fault';
import { FORGERY } from './forged';
import { HOOKS_KILLED } from './hooks-killed';
import { HOOKS_STOPPED } from './hooks-stopped';
import { LATE_DELETIONS } from './late-deletions';
import { OUTGOING } from './outgoing';
import { POLLING } from './polling';
import { QUEUES } from './queues';
import { POISON } from './poison';
import { REDIS_AWAY } from './redis-away';
import { RESENT } from './resent';
import { SCHEDULERS } from './schedulers';
import { SEVERAL_AT_ONCE } from './several-at-once';
import { STATE } from './state';
import { VCS_AWAY } from './vcs-away';

/** The matrix. */
export const FAULTS: readonly Fault[] = [
  ...HOOKS_KILLED,
  ...HOOKS_STOPPED,
  ...REDIS_AWAY,
  ...API_FAILS,
  ...CDS_VERSIONS,
  ...RESENT,
  ...CLOCK_JUMPS,
  ...CLEANUPS,
  ...LATE_DELETIONS,
  ...SCHEDULERS,
  ...POLLING,
  ...OUTGOING,
  ...POISON,
  ...QUEUES,
  ...VCS_AWAY,
  ...FAILOVER,
  ...STATE,
  ...FORGERY,
  ...SEVERAL_AT_ONCE,
];
