/** Times that tests shorten. */
export interface Timing {
  /** BullMQ's lock and stall check. */
  lockMs?: number;
  lockHeartbeatMs?: number;
  sweepMs?: number;
  heartbeatMs?: number;
  firstRetryMs?: number;
  /** Between two looks at which queues are to be consumed. */
  queuesMs?: number;
  /** How long a poll may take before another replica makes it. */
  leaseMs?: number;
  /** The shortest pause between two polls of a hook; also the longest after one that brought nothing. */
  pollMs?: number;
  /** How long runs wait for `vcs` after a start. */
  vcsMs?: number;
  /** How long the API may take to list a hook that it posted. */
  recentMs?: number;
  /** How long an answer of `/mon` is shared. */
  sharedMs?: number;
  /** Before a second look may remove more than half of the tasks. */
  secondLookMs?: number;
  /** Before the API is asked again whose the state is. */
  askAgainMs?: number;
}
