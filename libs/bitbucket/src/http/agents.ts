import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { ForwardingAgent, type ProxyServer, type ProxySettings, TunnelAgent } from '@cds/network';
import type { RepeatRule } from '../routes';

export interface HttpAgents {
  http: HttpAgent;
  https: HttpsAgent;
}

/**
 * Whatever `NODE_TLS_REJECT_UNAUTHORIZED` says: everybody can check Bitbucket Cloud's certificate.
 */
const VERIFIED = { rejectUnauthorized: true };
const KEPT = { keepAlive: true, maxSockets: 64 };

type AgentsByRule = Readonly<Record<RepeatRule, HttpAgents>>;

/**
 * Agents by whether a call may be repeated. A call that may not gets its own connection: Bitbucket
 * may just have closed a kept one, and then it is unknown whether the request arrived.
 */
const direct: AgentsByRule = {
  always: { http: new HttpAgent(KEPT), https: new HttpsAgent({ ...VERIFIED, ...KEPT }) },
  'unless-received': { http: new HttpAgent(), https: new HttpsAgent(VERIFIED) },
};

/** Connections are shared by all clients of the process. */
const behindProxies = new WeakMap<ProxyServer, AgentsByRule>();

function behind(proxy: ProxyServer): AgentsByRule {
  const known = behindProxies.get(proxy);
  if (known) return known;
  const through = (kept: object): HttpAgents => ({
    http: new ForwardingAgent(proxy, kept),
    https: new TunnelAgent(proxy, { ...VERIFIED, ...kept }),
  });
  const made = { always: through(KEPT), 'unless-received': through({}) };
  behindProxies.set(proxy, made);
  return made;
}

/** The agents for a call of `url`. */
export function agentsFor(repeat: RepeatRule, url: string, proxies?: ProxySettings): HttpAgents {
  const proxy = proxies?.proxyFor(new URL(url));
  return (proxy ? behind(proxy) : direct)[repeat];
}
