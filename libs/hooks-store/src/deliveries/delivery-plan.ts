/** One changed branch or tag of a push, in the order of the delivery. */
export interface PushChange {
  kind: 'branch-pushed' | 'tag-pushed' | 'branch-deleted' | 'tag-deleted';
  /** Short name, without `refs/heads/`; may hold `/`. */
  name: string;
}

/**
 * A change of a branch or tag from one commit to another. Hashes have only the compared digits; ""
 * where the ref did not exist, `?` where the commit is unknown.
 */
export interface RefChange {
  /** Position in the push. */
  index: number;
  /** `refs/heads/…` or `refs/tags/…` */
  ref: string;
  before: string;
  after: string;
}

/** What is known of the changes of a push since it was accepted, by their index. */
export interface JudgedChanges {
  /** Another delivery had them before. */
  double_changes?: readonly number[] | undefined;
  /** They took place before an earlier accepted change. */
  late_changes?: readonly number[] | undefined;
}

/** One step of a delivery plan. */
export type DeliveryStep =
  | {
      type: 'run';
      payload: Record<string, string>;
      /**
       * The pushed branch, whose scheduled cleanup is cancelled; absent for tags and plain
       * webhooks.
       */
      branch?: string;
      /**
       * Pushed before an earlier accepted change: it does not show whether the branch exists now.
       */
      isLate?: true;
    }
  | { type: 'delete-branch'; branch: string };

/** The runs and cleanups of an execution. `steps` holds all in order; the rest are views on it. */
export interface DeliveryPlan {
  runs: { payload: Record<string, string> }[];
  deletedBranches: string[];
  pushedBranches: string[];
  /** `workspace/slug` as the delivery names it; empty for a plain webhook. */
  repository: string;
  changes: PushChange[];
  steps: DeliveryStep[];
  /** Changes without a step, and why. */
  leftOut?: { name: string; reason: string }[];
}
