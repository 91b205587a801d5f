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

/** The runs and cleanups of an execution, in order. */
export interface DeliveryPlan {
  /** `workspace/slug` as the delivery names it; empty for a plain webhook. */
  repository: string;
  steps: DeliveryStep[];
  /** Changes without a step, and why. */
  leftOut?: { name: string; reason: string }[];
}
