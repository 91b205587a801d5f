/** What the API gave a service, as one of its processes tells it to another. */
export type SharedSession =
  /** CDS 0.40 to 0.43. */
  | { kind: 'hash'; hash: string; upToDate: boolean }
  /** CDS 0.44 and later. */
  | {
      kind: 'jwt';
      jwt: string;
      /** PEM. */
      signingKey: string;
      /** Seconds until it expires. */
      lifetimeSeconds: number;
    };

/** What a process knows of the session that it has. */
export interface HeldSession {
  /** The hash or the JWT; "" before the first. */
  secret: string;
  /** The API answered 401 to it. */
  isRefused: boolean;
}

/** Asks the process that registers for its session; for another one where it has the same. */
export type AskForSession = (held: HeldSession) => Promise<SharedSession>;

export function secretOf(session: SharedSession): string {
  return session.kind === 'hash' ? session.hash : session.jwt;
}
