/**
 * Most variables that one request to a plain webhook may give to its run. A body of 1 MiB holds as many only
 * when it was made to keep the service busy: reading half a million of them takes the better part of a second.
 */
export const MAX_VARIABLES = 100_000;
