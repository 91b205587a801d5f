import type { OAuthClient, OAuthClientOptions } from './oauth-types';

export declare function createOAuthClient(o: OAuthClientOptions): OAuthClient;
