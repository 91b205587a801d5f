import { LRUCache } from 'lru-cache';
import type { CallCredential } from '../credentials/call-credential';
import {
  countedTogether,
  createProjectCredential,
  projectKey,
} from '../credentials/project-credential';
import type { VcsProject } from '../credentials/project-headers';
import { createRefusals } from '../credentials/refusals';
import { createRepositoryWrites } from '../coalescing/repository-writes';
import { createRequestCoalescer } from '../coalescing/request-coalescer';
import { PROJECTS_LABEL } from '../monitoring/vcs-metrics';
import {
  type BitbucketServer,
  type BitbucketServerDeps,
  createBitbucketServer,
} from './bitbucket-server';

/** Credentials whose servers are kept. */
const MAX_SERVERS = 300;
/** Longer than any request that still uses a server which fell out. */
const LEAVING_MS = 60_000;
/** What Bitbucket grants a user or an access token, unless it says otherwise. */
const CALLS_PER_HOUR = 1_000;

/** A VCS project as one request names it. */
export interface CalledProject {
  server: BitbucketServer;
  credential: CallCredential;
}

export type ProjectServers = ReturnType<typeof createProjectServers>;

/**
 * The servers of VCS projects: one for each credential, made when it is first seen. The newest
 * {@link MAX_SERVERS} are kept. One that falls out is closed when no request can use it any more,
 * so that no call remains uncounted.
 */
export function createProjectServers(
  deps: BitbucketServerDeps & { proxyWebhook?: string | undefined; callsPerHour?: number },
) {
  interface Known {
    project: VcsProject;
    server: BitbucketServer;
  }
  const ofCredentials = {
    refusals: createRefusals(),
    logger: deps.logger,
    onRefused: deps.metrics.credentialRefused,
  };
  // Of all, so that the memory that they take is bounded. Reads are shared by sender only.
  const shared = {
    writes: createRepositoryWrites(),
    reads: createRequestCoalescer({ onRead: deps.metrics.read }),
  };
  const leaving = new LRUCache<string, Known>({ max: MAX_SERVERS, ttl: LEAVING_MS });
  const known = new LRUCache<string, Known>({
    max: MAX_SERVERS,
    dispose: (one, key, reason) => {
      if (reason !== 'evict') return;
      leaving.set(key, one);
      void one.server.budget.flush();
    },
  });

  function make(project: VcsProject): Known {
    const { apiUrl, url, part } = project;
    const config = {
      ...{ name: nameOfProjects(apiUrl), apiUrl, url },
      ...{ disableWebHooks: false, disableWebHooksCreation: false, polling: false },
      proxyWebhook: deps.proxyWebhook ?? '',
      // The API sends no status, and no link, where the options of the VCS project forbid it.
      status: { disable: false, showDetail: true },
    };
    const counter = {
      ...{ apiUrl, clientId: countedTogether(project) },
      callsPerHour: deps.callsPerHour ?? CALLS_PER_HOUR,
      holder: 'this credential',
      label: PROJECTS_LABEL,
    };
    return { project, server: createBitbucketServer(deps, config, { counter, part, ...shared }) };
  }

  function called({ project, server }: Known): CalledProject {
    return { server, credential: createProjectCredential(ofCredentials, project) };
  }

  const servers = () => [...known.values(), ...leaving.values()].map(({ server }) => server);

  return {
    of(project: VcsProject): CalledProject {
      const key = projectKey(project);
      const one = known.get(key) ?? leaving.get(key) ?? make(project);
      known.set(key, one);
      leaving.delete(key);
      return called(one);
    },
    /** By {@link CallCredential.key}: undefined where this process has not seen it lately. */
    find(key: string): CalledProject | undefined {
      const one = known.get(key) ?? leaving.get(key);
      return one && called(one);
    },
    /** What every credential that is known has spent, as far as this process knows. */
    budgets: () => [...known.values()].map(({ server }) => server.budget.known()),
    /** Flushes what was counted. Never rejects. */
    async close(): Promise<void> {
      await Promise.all(servers().map(({ budget }) => budget.close()));
    },
  };
}

/** Names one Bitbucket for all callers: VCS projects share the state of its repositories. */
export function nameOfProjects(apiUrl: string): string {
  return apiUrl.replace(/^https?:\/\//, '').replace(/^(api\.bitbucket\.org)\/2\.0$/, '$1');
}
