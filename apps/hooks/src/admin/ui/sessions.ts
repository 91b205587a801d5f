import { createHash, createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** A working day: then the password is asked for again. */
const SESSION_MS = 8 * 3_600_000;

export type Sessions = ReturnType<typeof createSessions>;

/**
 * Sessions that no replica stores: a token holds its end and a signature. Replicas with the same
 * password know each other's, and a new password ends all.
 */
export function createSessions(password: string, now: () => number = Date.now) {
  // Slow on purpose: a stolen token lets its thief try passwords on it.
  const key = scryptSync(password, 'cdsbb:hooks:ui', 32);
  const sign = (text: string) => createHmac('sha256', key).update(text).digest('base64url');

  return {
    isPassword: (given: string): boolean => isSame(given, password),

    start(): string {
      const session = `${now() + SESSION_MS}.${randomBytes(18).toString('base64url')}`;
      return `${session}.${sign(`session ${session}`)}`;
    },

    isValid(token: string): boolean {
      const end = token.lastIndexOf('.');
      const session = token.slice(0, Math.max(0, end));
      if (!isSame(token.slice(end + 1), sign(`session ${session}`))) return false;
      return Number(session.split('.')[0]) > now();
    },

    /** What each form of a session carries, so that no other page can send it. */
    formToken: (token: string): string => sign(`form ${token}`),

    isFormToken: (token: string, given: string): boolean => isSame(given, sign(`form ${token}`)),
  };
}

/** Takes the same time whatever is given. */
function isSame(given: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}
