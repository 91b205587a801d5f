/**
 * Variables of one run. Reading as many blocks the event loop for some milliseconds. A payload of
 * Bitbucket has 256 KB at most and gives fewer.
 */
export const MAX_VARIABLES = 12_288;
