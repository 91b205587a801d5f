/**
 * How long it is known at least that a delivery came, and a change was found: 48 h, in µs as the
 * ids of executions are.
 */
export const REMEMBERED_US = 48 * 3_600 * 1_000_000;
