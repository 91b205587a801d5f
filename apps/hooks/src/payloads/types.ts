/** One changed branch or tag of a push, in the order of the delivery. */
export interface PushChange {
  kind: 'branch-pushed' | 'tag-pushed' | 'branch-deleted' | 'tag-deleted';
  /** Short name, without `refs/heads/`; may hold `/`. */
  name: string;
}

/** One thing to do for a delivery. */
export type DeliveryStep =
  | {
      type: 'run';
      payload: Record<string, string>;
      /** The pushed branch, whose scheduled cleanup is void now; absent for tags and plain webhooks. */
      branch?: string;
    }
  | { type: 'delete-branch'; branch: string };

/** What a delivery leads to. `steps` holds everything in the delivery's order; the rest are views on it. */
export interface DeliveryPlan {
  runs: { payload: Record<string, string> }[];
  deletedBranches: string[];
  pushedBranches: string[];
  /** `workspace/slug` as the delivery names it; empty for a plain webhook. */
  repository: string;
  changes: PushChange[];
  steps: DeliveryStep[];
}

/** What a delivery to a repository webhook is, judged by its headers and body. */
export type DeliveryVerdict =
  | { kind: 'push' }
  /** Another event of Bitbucket Cloud: answered 200, kept as ignored. */
  | { kind: 'ignored'; event: string }
  /** From another host; `sender` names it. */
  | { kind: 'foreign'; sender: string }
  /** `reason` says what is wrong, for the sender to read. */
  | { kind: 'malformed'; reason: string };

/** Whether a request to a plain webhook can be read. */
export type WebhookVerdict = { kind: 'ok' } | { kind: 'malformed'; reason: string };
