export type * from './model';
export type * from './client-types';
export type * from './oauth/oauth-types';
export {
  BitbucketError,
  DeadGrantError,
  isBitbucketError,
  type BitbucketErrorKind,
} from './http/bitbucket-error';
export { createOAuthClient } from './oauth/create-oauth-client';
export { createBitbucketClient } from './create-bitbucket-client';
export { ROUTES, type RepeatRule, type Route } from './routes';
