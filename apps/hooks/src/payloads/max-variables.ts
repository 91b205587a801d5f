/**
 * Most variables that one request to a plain webhook may give to its run. Reading as many takes some
 * milliseconds, and everybody waits meanwhile. A payload of Bitbucket, which has 256 KB at most, gives
 * fewer.
 */
export const MAX_VARIABLES = 12_288;
