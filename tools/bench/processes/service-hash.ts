/**
 * What the stand-in of the API gives a service when it registers, and shows with every call of it.
 */
export const HASH = 'hash-of-the-bench';
