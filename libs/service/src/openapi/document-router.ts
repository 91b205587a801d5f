import { z } from 'zod';
import { createRouter, type Router } from '../http/create-router';
import type { OpenApiDocument } from './build-document';

/** `/openapi.json`, which holds no secret and is public. Its own route is in the document, too. */
export function createDocumentRouter(): {
  router: Router;
  serve(document: OpenApiDocument): void;
} {
  let bytes = Buffer.alloc(0);
  const router = createRouter();
  router.get(
    '/openapi.json',
    {
      summary: 'This document',
      answer: z.looseObject({ openapi: z.string(), paths: z.looseObject({}) }),
    },
    () => (_req, res) => {
      res.setHeader('Content-Length', bytes.length);
      res.end(bytes);
    },
  );
  return {
    router,
    /** Made once; no request costs more than sending it. */
    serve(document) {
      bytes = Buffer.from(JSON.stringify(document));
    },
  };
}
