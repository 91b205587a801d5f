import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { sendRequest } from '../http/send-request';
import { ApiRefusal } from './api-refusal';
import type { ProjectStore } from './project-store';
import type { ServiceCaller } from './service-caller';

export const CALLBACK_PATH = '/repositories_manager/oauth2/callback';

const authorizeSchema = z.object({ token: z.string().min(1), url: z.url() });
const tokensSchema = z.object({ token: z.string().min(1), secret: z.string().min(1) });

export type OAuthLink = ReturnType<typeof createOAuthLink>;

/** Links projects to VCS servers: asks `vcs` for the page, takes the callback, has `vcs` exchange the code. */
export function createOAuthLink(deps: { projects: ProjectStore; caller: ServiceCaller }) {
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

  /** Asks `vcs` where the user has to go. */
  async function begin(project: string, server: string): Promise<{ state: string; url: string }> {
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
    const { state, code } = request.query;
    if (typeof state !== 'string' || typeof code !== 'string')
      throw new ApiRefusal('wrongRequest', 'the callback needs state and code');
    const project = await finish(state, code);
    response.type('html').send(`<p>Project ${encodeURIComponent(project)} is linked.</p>`);
  });

  return {
    router,
    begin,
    /**
     * Does what a user's browser does: opens the page, agrees, follows the redirect to the callback.
     * @throws Error naming the page, when it does not redirect by itself.
     */
    async link(project: string, server: string): Promise<{ state: string; url: string }> {
      const asked = await begin(project, server);
      const page = await sendRequest({ method: 'GET', url: asked.url, timeoutMs: 10_000 });
      const location = page.headers['location'];
      if (page.status !== 302 || typeof location !== 'string')
        throw new Error(`The page answered ${page.status}; open it in a browser: ${asked.url}`);
      const callback = await sendRequest({ method: 'GET', url: location, timeoutMs: 60_000 });
      if (callback.status !== 200)
        throw new Error(`The callback answered ${callback.status}: ${callback.text}`);
      return asked;
    },
  };
}
