import { silentLogger } from '@cds/testing';
import express from 'express';
import request from 'supertest';
import * as z from 'zod';
import { createHttpApp, createRouter, handle, type Router } from '../index';
import { buildDocument } from './build-document';

const about = { title: 'things', description: '', tags: [] };

function appOf(guarded: Router) {
  return createHttpApp({
    about,
    logger: silentLogger(),
    callers: { isAllowed: () => true },
    monitoring: async () => ({ now: '', lines: [] }),
    guarded,
  });
}

const documentOf = (guarded: Router) =>
  buildDocument(about, { open: [], guarded: guarded.routes() });

const nothing = handle(async () => undefined);
const described = (params?: z.ZodObject) => ({
  summary: 'A thing',
  params,
  answer: 'nothing' as const,
});
const toNothing = () => nothing;
/** As JavaScript has it, which no compiler refuses. */
const undescribed = () => createRouter().get('/x', nothing as never, undefined as never);

describe('a described app', () => {
  it.each([
    ['without a description', undescribed, /GET \/x has no description/],
    [
      'within another router',
      () => createRouter().use(undescribed()),
      /GET \/x has no description/,
    ],
    [
      "of a router of Express' own",
      () => createRouter().use(express.Router().get('/x', nothing)),
      /routers of createRouter/,
    ],
    [
      'of every method, none named',
      () => createRouter().all('/x', described(), toNothing),
      /name its methods/,
    ],
    [
      'whose path has a value more',
      () => createRouter().get('/x/:id', described(), toNothing),
      /\/x\/:id has/,
    ],
    [
      'whose path has a value less',
      () => createRouter().get('/x', described(z.object({ id: z.string() })), toNothing),
      /its description id/,
    ],
    [
      'that stands twice',
      () => createRouter().get('/x', described(), toNothing).get('/x', described(), toNothing),
      /twice/,
    ],
    [
      'below a path',
      () => createRouter().use('/a' as never, createRouter().get('/x', described(), toNothing)),
      /whole path/,
    ],
  ])('has no document with a route %s', (_, makeRouter, message) => {
    expect(() => documentOf(makeRouter())).toThrow(message);
  });

  it('has no document with two schemas of one name', () => {
    const answer = (text: z.ZodType) => {
      const schema = z.object({ text }).meta({ id: 'Twice' });
      return { summary: 'A thing', answer: schema };
    };
    const router = createRouter()
      .get('/a', answer(z.string()), toNothing)
      .get('/b', answer(z.int()), toNothing);
    expect(() => documentOf(router)).toThrow(/two schemas are called Twice/);
  });

  const withThing = () =>
    createRouter().post(
      '/things/:id',
      {
        summary: 'A thing',
        params: z.object({ id: z.string().regex(/^\d+$/, 'is no number') }),
        query: z.strictObject({ limit: z.string().optional() }),
        body: z.object({ name: z.string() }),
        answer: z.object({ id: z.string() }),
      },
      ({ params, query, body }) =>
        handle(async (req) => ({ ...params(req), ...query(req), ...body(req) })),
    );

  it.each([
    ['/things/x', { name: 'a' }, 'the path id is no number'],
    ['/things/1?more=1', { name: 'a' }, 'the query holds "more": it takes limit'],
    ['/things/1?limit=1&limit=2', { name: 'a' }, 'the query limit Invalid input'],
    ['/things/1', { name: 1 }, 'name: Invalid input'],
  ])('reads by its description: %s %j', async (path, body, message) => {
    const answer = await request(appOf(withThing()))
      .post(path)
      .set('X_AUTH_HEADER', 'x')
      .send(body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ id: 74 });
    expect(answer.body.message).toContain(message);
  });

  it('fails where a route reads what it does not describe', async () => {
    const liar = createRouter().post('/x', described(), ({ body }) =>
      handle(async (req) => body(req)),
    );
    const answer = await request(appOf(liar)).post('/x').set('X_AUTH_HEADER', 'x').send({});
    expect(answer.status).toBe(500);
  });

  it('serves its document, guarded routes marked as such', async () => {
    const { body } = await request(appOf(withThing())).get('/openapi.json');
    expect(Object.keys(body.paths)).toEqual([
      '/mon/version',
      '/mon/status',
      '/openapi.json',
      '/things/{id}',
    ]);
    expect(body.paths['/mon/version'].get.security).toBeUndefined();
    expect(body.paths['/things/{id}'].post).toMatchObject({
      operationId: 'postThingsById',
      security: [{ service: [] }],
      parameters: [
        { name: 'id', in: 'path', required: true },
        { name: 'limit', in: 'query', required: false },
      ],
      requestBody: { required: true },
    });
  });
});
