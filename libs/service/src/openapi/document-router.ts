import * as z from 'zod';
import { createRouter, type Router } from '../http/create-router';
import { JSON_TYPE, sendBytes } from '../http/send-json';
import { buildDocument, type ServiceDescription } from './build-document';

/**
 * `/openapi.json`, which holds no secret and is public. Its own route is in the document, too. The
 * first request makes it, so that no start waits for it; no other costs more than sending it.
 */
export function createDocumentRouter(
  about: ServiceDescription,
  { monitoring, open, guarded }: { monitoring: Router; open?: Router | undefined; guarded: Router },
): Router {
  const router = createRouter();
  router.get(
    '/openapi.json',
    {
      summary: 'This document',
      answer: z.looseObject({ openapi: z.string(), paths: z.looseObject({}) }),
    },
    () => (_req, res) => sendBytes(res, JSON_TYPE, (bytes ??= makeBytes())),
  );
  let bytes: Buffer | undefined;
  const makeBytes = () => {
    const document = buildDocument(about, {
      open: [monitoring, router, open].flatMap((one) => one?.routes() ?? []),
      guarded: guarded.routes(),
    });
    return Buffer.from(JSON.stringify(document));
  };
  return router;
}
