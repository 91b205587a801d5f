import { Router, type Request, type Response } from 'express';
import * as z from 'zod';
import { sendRequest } from '../http/send-request';
import { ApiRefusal } from './api-refusal';
import type { ProjectStore } from './project-store';
import type { ServiceCaller } from './service-caller';

export const CALLBACK_PATH = '/repositories_manager/oauth2/callback';

const authorizeSchema = z.object({ token: z.string().min(1), url: z.url() });
const tokensSchema = z.object({ token: z.string().min(1), secret: z.string().min(1) });

export type OAuthLink = ReturnType<typeof createOAuthLink>;

/**
 * Links projects to VCS servers: asks `vcs` for the page, takes the callback, has `vcs` exchange
 * the code.
 */
export function createOAuthLink(deps: {
  projects: ProjectStore;
  caller: ServiceCaller;
  /** False where projects have VCS projects in place of links. */
  isKnown: boolean;
  /** Where the CDS UI is; without one the callback says itself what came of it. */
  uiUrl?: string | undefined;
}) {
  const pending = new Map<string, { project: string; server: string }>();

  async function finish(state: string, code: string): Promise<string> {
    const asked = pending.get(state);
    if (!asked) throw new ApiRefusal('wrongRequest', 'unknown or used state');
    pending.delete(state);
    const { body } = await deps.caller.call('vcs', {
      method: 'POST',
      path: `/vcs/${asked.server}/authorize`,
      body: { token: state, secret: code },
    });
    const tokens = tokensSchema.parse(body);
    deps.projects.ensureProject(asked.project).links.set(asked.server, {
      server: asked.server,
      accessToken: tokens.token,
      refreshToken: tokens.secret,
      created: Math.floor(Date.now() / 1_000),
    });
    return asked.project;
  }

  /** The user did not agree; the state is used up. */
  function refused(state: string): string {
    const asked = pending.get(state);
    if (!asked) throw new ApiRefusal('wrongRequest', 'unknown or used state');
    pending.delete(state);
    return asked.project;
  }

  /** Asks `vcs` where the user has to go. */
  async function begin(project: string, server: string): Promise<{ state: string; url: string }> {
    if (!deps.isKnown)
      throw new ApiRefusal('wrongRequest', 'this CDS links no projects: import a VCS project');
    deps.projects.ensureProject(project);
    const { body } = await deps.caller.call('vcs', {
      method: 'GET',
      path: `/vcs/${server}/authorize`,
    });
    const { token, url } = authorizeSchema.parse(body);
    pending.set(token, { project, server });
    return { state: token, url };
  }

  const router = Router();
  router.get(CALLBACK_PATH, async (request: Request, response: Response) => {
    const { state, code, error } = request.query;
    if (typeof state === 'string' && typeof error === 'string') {
      const project = refused(state);
      if (deps.uiUrl === undefined)
        throw new ApiRefusal('wrongRequest', `${project} was not linked: access was not granted`);
      backToUi(response, deps.uiUrl, project, '&linked=refused');
      return;
    }
    if (typeof state !== 'string' || typeof code !== 'string')
      throw new ApiRefusal('wrongRequest', 'the callback needs state and code');
    const asked = pending.get(state);
    let project: string;
    try {
      project = await finish(state, code);
    } catch (error) {
      if (deps.uiUrl === undefined || !asked) throw error;
      backToUi(response, deps.uiUrl, asked.project, '&linked=failed');
      return;
    }
    if (deps.uiUrl === undefined)
      response.type('html').send(`<p>Project ${encodeURIComponent(project)} is linked.</p>`);
    else backToUi(response, deps.uiUrl, project);
  });

  return {
    router,
    begin,
    /**
     * Does what a user's browser does: opens the page, agrees, follows the redirect to the
     * callback.
     * @throws Error naming the page, when it does not redirect by itself.
     */
    async link(project: string, server: string): Promise<{ state: string; url: string }> {
      const asked = await begin(project, server);
      let page = await sendRequest({ method: 'GET', url: asked.url, timeoutMs: 10_000 });
      // It asks whether the user agrees.
      if (page.status === 200) page = await grantAccess(asked);
      const location = page.headers['location'];
      if (page.status !== 302 || typeof location !== 'string')
        throw new Error(`The page answered ${page.status}; open it in a browser: ${asked.url}`);
      if (new URL(location).searchParams.has('error'))
        throw new Error(`${project} was not linked: access was not granted`);
      const callback = await sendRequest({ method: 'GET', url: location, timeoutMs: 60_000 });
      if (callback.status !== 200 && callback.status !== 307)
        throw new Error(`The callback answered ${callback.status}: ${callback.text}`);
      return asked;
    },
  };
}

/** What the button of the page sends. */
function grantAccess({ state, url }: { state: string; url: string }) {
  const form = new URL('authorize', url);
  return sendRequest({
    method: 'POST',
    url: form.href,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ state, answer: 'allow' }).toString(),
    timeoutMs: 10_000,
  });
}

/** To the project in the UI, as the API does it. */
function backToUi(response: Response, uiUrl: string, project: string, more = ''): void {
  response
    .status(307)
    .set('Location', `${uiUrl}/project/${encodeURIComponent(project)}?tab=advanced${more}`)
    .end();
}
