import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { HttpAgents } from '../client-types';
import type { RepeatRule } from '../routes';

/** Always, whatever `NODE_TLS_REJECT_UNAUTHORIZED` says: Bitbucket Cloud has a certificate that everybody can check. */
const VERIFIED = { rejectUnauthorized: true };

const kept: Required<HttpAgents> = {
  http: new HttpAgent({ keepAlive: true, maxSockets: 64 }),
  https: new HttpsAgent({ ...VERIFIED, keepAlive: true, maxSockets: 64 }),
};

const fresh: Required<HttpAgents> = { http: new HttpAgent(), https: new HttpsAgent(VERIFIED) };

/**
 * The agents for a call. What must not be repeated gets a connection of its own: a kept one may have been closed by the
 * other side a moment ago, and then nobody knows whether the request arrived.
 */
export function agentsFor(repeat: RepeatRule, given: HttpAgents = {}): Required<HttpAgents> {
  return { ...(repeat === 'always' ? kept : fresh), ...given };
}
