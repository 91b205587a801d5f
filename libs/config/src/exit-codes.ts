/** Set by a supervisor that keeps the standard input of its child open for as long as it lives. */
export const SUPERVISED = 'CDS_BITBUCKET_SUPERVISED';

/**
 * A supervised service ends with this when only a change of its configuration can mend what is
 * wrong. `engine start` starts it again after every other end. EX_CONFIG of sysexits.h:
 * https://man.openbsd.org/sysexits.3
 */
export const EXIT_CONFIG = 78;

/** A service was called in the wrong way. */
export const EXIT_USAGE = 2;

/**
 * The exit code for a configuration that no service can start with: 1, as CDS's own have it, where
 * nothing supervises.
 */
export function badConfigExitCode(env: NodeJS.ProcessEnv = process.env): number {
  return env[SUPERVISED] ? EXIT_CONFIG : 1;
}
