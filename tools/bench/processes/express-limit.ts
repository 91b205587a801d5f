// What Express 5 can do at best: the same body read, the same signature checked, 200 answered,
// nothing stored.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { answerParent } from './answer-parent';

async function listen({ secret }: { secret: string }): Promise<string> {
  const app = express();
  app.post(
    '/webhook/:uuid',
    express.raw({ type: () => true, limit: '1mb' }),
    (request, response) => {
      const shown = Buffer.from(request.get('x-hub-signature') ?? '');
      const digest = createHmac('sha256', secret)
        .update(request.body as Buffer)
        .digest('hex');
      const right = Buffer.from(`sha256=${digest}`);
      if (shown.length !== right.length || !timingSafeEqual(shown, right)) {
        response.status(401).json({ message: 'wrong signature' });
        return;
      }
      response.json({ uuid: request.params['uuid'] });
    },
  );
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

answerParent({ listen });
