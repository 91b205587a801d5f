/** Times that tests shorten. */
export interface Timing {
  /** BullMQ's lock and stall check. */
  lockMs?: number | undefined;
  lockHeartbeatMs?: number | undefined;
  sweepMs?: number | undefined;
  heartbeatMs?: number | undefined;
  firstRetryMs?: number | undefined;
  /** Between two reads of which queues to consume. */
  queuesMs?: number | undefined;
  /** How long a poll may take before another replica makes it. */
  leaseMs?: number | undefined;
  /** The shortest pause between two polls of a hook, and the longest after one without changes. */
  pollMs?: number | undefined;
  /** How long runs wait for `vcs` after a start. */
  vcsMs?: number | undefined;
  /** How long the API may take to list a hook that it posted. */
  recentMs?: number | undefined;
  /** How long an answer of `/mon` is shared. */
  sharedMs?: number | undefined;
  /** Before a second look may remove more than half of the tasks. */
  secondLookMs?: number | undefined;
  /** Between two reads of the files of secrets. */
  secretFilesMs?: number | undefined;
  /** Before the API is asked again about the state owner. */
  askAgainMs?: number | undefined;
}
