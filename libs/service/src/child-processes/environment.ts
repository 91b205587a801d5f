/** Set by a supervisor that keeps the standard input of its child open for as long as it lives. */
export const SUPERVISED = 'CDS_BITBUCKET_SUPERVISED';

/** Set by a parent process on a terminal, which reads the output of its child through a pipe. */
export const TERMINAL = 'CDS_BITBUCKET_TERMINAL';
