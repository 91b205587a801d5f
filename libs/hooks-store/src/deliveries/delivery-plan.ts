/** One changed branch or tag of a push, in the order of the delivery. */
export interface PushChange {
  kind: 'branch-pushed' | 'tag-pushed' | 'branch-deleted' | 'tag-deleted';
  /** Short name, without `refs/heads/`; may hold `/`. */
  name: string;
}

/**
 * What happened to a branch or tag: which commit it led to before, and after. Hashes are shortened
 * to the digits that are compared; "" where the ref did not exist, `?` where that is not known.
 */
export interface RefChange {
  /** In the push. */
  index: number;
  /** `refs/heads/…` or `refs/tags/…` */
  ref: string;
  before: string;
  after: string;
}

/** What is known of the changes of a push since it was accepted, by their index. */
export interface JudgedChanges {
  /** Another delivery told of them before. */
  double_changes?: readonly number[] | undefined;
  /** They took place before one that was accepted earlier. */
  late_changes?: readonly number[] | undefined;
}

/** One thing to do for a delivery. */
export type DeliveryStep =
  | {
      type: 'run';
      payload: Record<string, string>;
      /**
       * The pushed branch, whose scheduled cleanup is void now; absent for tags and plain webhooks.
       */
      branch?: string;
      /**
       * It was pushed before what was accepted earlier, so that it says nothing of whether the
       * branch is there now.
       */
      isLate?: true;
    }
  | { type: 'delete-branch'; branch: string };

/**
 * What a delivery leads to. `steps` holds everything in the delivery's order; the rest are views on
 * it.
 */
export interface DeliveryPlan {
  runs: { payload: Record<string, string> }[];
  deletedBranches: string[];
  pushedBranches: string[];
  /** `workspace/slug` as the delivery names it; empty for a plain webhook. */
  repository: string;
  changes: PushChange[];
  steps: DeliveryStep[];
  /** Changes for which nothing is to be done, and why. */
  leftOut?: { name: string; reason: string }[];
}
