import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { BitbucketStandIn } from '@cds/stand-ins/bitbucket';
import type { CdsApiStandIn } from '@cds/stand-ins/cds-api';
import * as z from 'zod';
import {
  action,
  createControlRouter,
  createControls,
  nothing,
  listenOn,
  onlyForHosts,
  refuseOtherOrigins,
  type Controls,
} from '@cds/stand-ins/http';
import { connectProject } from '../story/connect-project';
import { createCallFeed } from './call-feed';
import { createLive } from './live';

export interface PageOptions {
  bitbucket: BitbucketStandIn;
  api: CdsApiStandIn;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** The stand-in of Bitbucket as browsers reach it, where the services reach it elsewhere. */
  bitbucketForBrowsers?: string;
}

export interface Page {
  url: string;
  /** A headline among the calls. */
  chapter(title: string): void;
  close(): Promise<void>;
}

const projectSchema = z.strictObject({ project: z.string().min(1) });

/** Nothing from elsewhere, nothing inline. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** Beside the sources, and beside the bundle. */
const FILES = [join(__dirname, 'public'), join(__dirname, 'page')];

/**
 * Serves the page of the sandbox: the files, what happens as Server-Sent Events, and the actions of
 * both stand-ins under `/bitbucket` and `/cds`.
 */
export async function startPage(options: PageOptions): Promise<Page> {
  const { bitbucket, api, host } = options;
  const files = FILES.find((folder) => existsSync(join(folder, 'index.html')));
  if (!files) throw new Error(`The files of the page are not in ${FILES.join(', nor in ')}`);
  const feed = createCallFeed({ bitbucket, api });
  const live = createLive({ bitbucket, api, feed });
  const hosts: string[] = [];

  const power = createControls({
    away: action('the API is away: nothing listens at its address', nothing, () => api.away()),
    back: action('the API is back', nothing, () => api.back()),
    beginLink: action(
      'asks vcs for the page where a user agrees, or imports a VCS project',
      projectSchema,
      beginLink,
    ),
    link: action('links a project, or imports its VCS project', projectSchema, async (input) => ({
      done: await connectProject({ api, bitbucket }, input.project),
    })),
  });
  power.onAction(({ name, input }) =>
    feed.acted(['CDS: ' + name, ...Object.values(input).map(String)].join(' · ')),
  );
  async function beginLink({ project }: { project: string }): Promise<{ url?: string }> {
    if (api.connectsBy === 'VCS project') {
      await connectProject({ api, bitbucket }, project);
      return {};
    }
    const { url } = await api.beginLink(project);
    const { bitbucketForBrowsers: origin } = options;
    return { url: origin ? url.replace(new URL(url).origin, origin) : url };
  }

  const app = express().disable('x-powered-by');
  app.use((request: Request, response: Response, next: NextFunction) =>
    onlyForHosts(hosts)(request, response, next),
  );
  app.use((_request, response, next) => {
    response.set({
      'Content-Security-Policy': POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-cache',
    });
    next();
  });
  app.get('/events', refuseOtherOrigins, live.handle);
  app.get('/state', refuseOtherOrigins, async (_request, response) => {
    response.json(await live.state());
  });
  app.use('/bitbucket', onlyPost, createControlRouter(withoutTelling(bitbucket.controls)));
  app.use('/cds', onlyPost, createControlRouter(power, withoutTelling(api.controls)));
  // Where the links of build statuses lead, too.
  app.get('/project/*rest', (_request, response) => response.sendFile(join(files, 'index.html')));
  app.use(express.static(files, { cacheControl: false }));
  app.use((_request, response) => {
    response.status(404).type('text').send('There is nothing here. The page is at /\n');
  });

  const listener = await listenOn(app, { host, port: options.port });
  hosts.push(...['localhost', '127.0.0.1'].map((name) => `${name}:${listener.port}`));
  return {
    url: `http://localhost:${listener.port}`,
    chapter: feed.chapter,
    async close() {
      live.close();
      await listener.close();
    },
  };
}

/**
 * What is told on the stand-ins' own addresses has signatures and tokens in it: it is nothing for
 * the page.
 */
function withoutTelling(controls: Controls): Controls {
  const doing = Object.entries(controls.actions).filter(([, { tells }]) => !tells);
  return { ...controls, actions: Object.fromEntries(doing) };
}

/** Everything here changes something: an image or a link does not. */
function onlyPost(request: Request, response: Response, next: NextFunction): void {
  if (request.method === 'POST') next();
  else response.status(405).set('Allow', 'POST').json({ error: 'POST a JSON object: curl -d' });
}
