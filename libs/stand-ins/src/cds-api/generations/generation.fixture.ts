import { waitFor } from '@cds/testing';
import { startCdsApi, type CdsApiStandIn, type CdsVersion } from '../index';
import { callApi, registration, scriptedService, type ScriptedService } from '../services.fixture';
import { callAs, signInService } from '../sessions/session-client.fixture';

export const HASH = 'a'.repeat(40);
export const REPO = 'acme/web-shop';

/** An API of some CDS with scripted services, which know each other. */
export interface GenerationStage {
  api: CdsApiStandIn;
  vcs: ScriptedService;
  /** `METHOD /path` of what `vcs` was asked. */
  asked(): string[];
  /** The routes of the repository at `vcs`. */
  repo: string;
  callAsHooks(method: string, path: string, body?: unknown): ReturnType<typeof callApi>;
  /**
   * Links the project P, or imports its VCS project, and gives it the workflow w on the repository.
   */
  createWorkflow(more?: { keepsRunsOf?: 'existing branches' }): Promise<void>;
  /** Asks for a run of w, and waits for its end. */
  run(payload: Record<string, string>): Promise<void>;
  close(): Promise<unknown>;
}

export async function openGenerationStage(cds: CdsVersion): Promise<GenerationStage> {
  const api = await startCdsApi({ cds, buildDurationMs: 1, uiUrl: 'http://ui' });
  const [vcs, hooks] = await Promise.all([scriptedService(), scriptedService()]);
  const repo = `/vcs/${api.vcsServer}/repos/${REPO}`;
  hooks.answers['POST /task/bulk'] = ({ body }) => {
    const map = structuredClone(body) as Record<string, { config: Record<string, unknown> }>;
    for (const [uuid, hook] of Object.entries(map))
      hook.config['webHookURL'] = { value: `http://hooks.example/webhook/${uuid}` };
    return { body: map };
  };
  vcs.answers = {
    [`GET /vcs/${api.vcsServer}/authorize`]: () => ({
      body: { token: 's1', url: `${vcs.url}/page` },
    }),
    'GET /page': () => ({
      status: 302,
      headers: { Location: `${api.callbackUrl}?state=s1&code=c1` },
    }),
    [`POST /vcs/${api.vcsServer}/authorize`]: () => ({ body: { token: 'a', secret: 'r' } }),
    [`GET /vcs/${api.vcsServer}/webhooks`]: () => ({
      body: { webhooks_supported: true, webhooks_disabled: false, webhooks_icon: 'Bitbucket' },
    }),
    [`GET /vcs/${api.vcsServer}/repos`]: () => ({ body: [] }),
    [`POST ${repo}/hooks`]: ({ body }) => ({ body: { ...(body as object), id: '{w1}' } }),
    [`GET ${repo}/commits/${HASH}/statuses`]: () => ({ body: [] }),
    [`GET ${repo}/pullrequests`]: () => ({ body: [] }),
  };
  const callAsHooks = await enter();

  async function enter(): Promise<GenerationStage['callAsHooks']> {
    if (cds === '0.41') {
      const register = (type: 'vcs' | 'hooks', url: string) =>
        callApi(api, 'POST', '/services/register', { body: registration(type, type, url) });
      await register('vcs', vcs.url);
      const hash = String((await register('hooks', hooks.url)).json['hash']);
      return (method, path, body) => callApi(api, method, path, { hash, body });
    }
    await signInService(api, 'vcs', 'vcs', vcs.url);
    const jwt = await signInService(api, 'hooks', 'hooks', hooks.url);
    return (method, path, body) => callAs(api, jwt, method, path, body);
  }

  return {
    ...{ api, vcs, repo, callAsHooks },
    asked: () => vcs.seen.map(({ method, url }) => `${method} ${url}`),
    async createWorkflow(more = {}) {
      if (cds === '0.41' || cds === '0.50') await api.linkProject('P');
      else await api.importVcsProject({ project: 'P', username: 'jane@acme.example', token: 't' });
      vcs.seen.length = 0;
      await api.workflows.createRepositoryWorkflow({
        ...{ project: 'P', name: 'w', repo: REPO },
        ...more,
      });
    },
    async run(payload) {
      const before = api.runs('P', 'w').length;
      await callAsHooks('POST', '/project/P/workflows/w/runs', { hook: { payload, uuid: 'u' } });
      await waitFor(() => ['Success', 'Fail'].includes(api.runs('P', 'w')[before]?.status ?? ''), {
        what: 'the build to end',
      });
    },
    close: () => Promise.all([api.close(), vcs.close(), hooks.close()]),
  };
}
