import { monitoringStatusSchema, type MonitoringStatus, versionInfoSchema } from '@cds/wire';
import type { Router } from 'express';
import { z } from 'zod';
import { versionInfo } from '../build-info';
import type { Metrics } from '../metrics/create-metrics';
import { route } from '../openapi/route';
import { createRouter } from './create-router';
import { handle } from './handle';

/** `/mon/version`, `/mon/status` and, where there are metrics, `/mon/metrics`: open to everybody. */
export function createMonitoringRouter(deps: {
  monitoring: () => Promise<MonitoringStatus>;
  metrics?: Pick<Metrics, 'text'>;
}): Router {
  const { monitoring, metrics } = deps;
  const version = versionInfo();
  const router = createRouter();

  if (metrics) {
    router.get(
      '/mon/metrics',
      route(
        {
          summary: 'Metrics for Prometheus',
          answer: z.string(),
          answerType: 'text/plain',
        },
        () => async (_req, res) => {
          const { contentType, text } = await metrics.text();
          res.status(200).setHeader('Content-Type', contentType).end(text);
        },
      ),
    );
  }
  router.get(
    '/mon/version',
    route({ summary: 'What this build is', answer: versionInfoSchema }, () =>
      handle(async () => version),
    ),
  );
  router.get(
    '/mon/status',
    route(
      {
        summary: 'How the service is',
        description: 'Always 200, whatever the lines say.',
        answer: monitoringStatusSchema,
      },
      () => handle(() => monitoring()),
    ),
  );
  return router;
}
