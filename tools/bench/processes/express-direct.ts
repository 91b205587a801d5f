// What a push costs at best until its run is asked for: read, checked, parsed, and the API called
// at once.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { answerParent } from './answer-parent';
import type { RunSample } from './cds-api';
import { createRunSender } from './post-runs';

interface Push {
  push: { changes: { new: { target: { hash: string } } }[] };
}

async function listen(order: {
  secret: string;
  apiUrl: string;
  sample: RunSample;
}): Promise<string> {
  const { post } = createRunSender(order.apiUrl, order.sample);
  const app = express();
  app.post(
    '/webhook/:uuid',
    express.raw({ type: () => true, limit: '1mb' }),
    async (request, response) => {
      const body = request.body as Buffer;
      const shown = Buffer.from(request.get('x-hub-signature') ?? '');
      const digest = createHmac('sha256', order.secret).update(body).digest('hex');
      const right = Buffer.from(`sha256=${digest}`);
      if (shown.length !== right.length || !timingSafeEqual(shown, right)) {
        response.status(401).json({ message: 'wrong signature' });
        return;
      }
      const { push } = JSON.parse(body.toString()) as Push;
      await post(request.params['uuid'] ?? '', push.changes[0]?.new.target.hash ?? '');
      response.json({});
    },
  );
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

answerParent({ listen });
