export type * from './model';
export type * from './client-types';
export type * from './oauth/oauth-types';
export { BitbucketError, DeadGrantError, isBitbucketError } from './http/bitbucket-error';
export { createOAuthClient } from './oauth/create-oauth-client';
export { createBitbucketClient } from './create-bitbucket-client';
