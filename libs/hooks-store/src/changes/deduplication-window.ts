/** Deduplication window of deliveries and changes: 48 h, in µs as the ids of executions. */
export const REMEMBERED_US = 48 * 3_600 * 1_000_000;
