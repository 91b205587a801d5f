import type { BitbucketClient, BitbucketClientOptions } from './client-types';

export declare function createBitbucketClient(o: BitbucketClientOptions): BitbucketClient;
