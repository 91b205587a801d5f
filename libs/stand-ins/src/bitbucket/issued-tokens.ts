import { createHash, randomBytes } from 'node:crypto';
import type { Account } from './model';
import { API_TOKEN_SCOPES } from './scopes';

/** Whom a request comes from, and what it may do. */
export interface Credential {
  kind: 'oauth2' | 'api-token' | 'access-token';
  /** In the names of the kind. */
  scopes: string[];
  /** The only workspace of an access token. */
  workspace?: string | undefined;
  /** The only repository of an access token, as its slug. */
  repository?: string | undefined;
  /** Requests with the same one are counted together. */
  counter: string;
}

export interface NewApiToken {
  /** All that a CI needs when not given. */
  scopes?: string[];
  /** A new one when not given. */
  token?: string;
}

export interface NewAccessToken {
  workspace: string;
  /** The slug, for a token of one repository. */
  repository?: string;
  scopes?: string[];
  token?: string;
}

export type IssuedTokens = ReturnType<typeof createIssuedTokens>;

const ACCESS_TOKEN_SCOPES = ['repository:write', 'pullrequest:write', 'webhook'];

/**
 * API tokens, which are the account's and sent as Basic with its e-mail address; and access tokens
 * of a workspace or repository, which are nobody's and sent as Bearer. App passwords are gone.
 */
export function createIssuedTokens(account: Pick<Account, 'email'>) {
  const apiTokens = new Map<string, Credential>();
  const accessTokens = new Map<string, Credential>();
  const fresh = (prefix: string) => prefix + randomBytes(140).toString('base64url');

  return {
    issueApiToken({ scopes = API_TOKEN_SCOPES, token = fresh('ATATT3xFfGF0') }: NewApiToken = {}) {
      apiTokens.set(token, { kind: 'api-token', scopes, counter: account.email });
      return token;
    },

    issueAccessToken({ scopes = ACCESS_TOKEN_SCOPES, ...asked }: NewAccessToken): string {
      const { workspace, repository, token = fresh('ATCTT3xFfGN0') } = asked;
      const counter = createHash('sha256').update(token).digest('hex');
      accessTokens.set(token, { kind: 'access-token', scopes, workspace, repository, counter });
      return token;
    },

    /** Or its time is over: nobody can tell. */
    revoke(token: string): void {
      apiTokens.delete(token);
      accessTokens.delete(token);
    },

    /** Neither a user name nor `x-token-auth` is a user of the API. */
    ofBasic: (user: string, password: string): Credential | undefined =>
      user === account.email ? apiTokens.get(password) : undefined,

    /** An API token is refused here. */
    ofBearer: (token: string): Credential | undefined => accessTokens.get(token),
  };
}
