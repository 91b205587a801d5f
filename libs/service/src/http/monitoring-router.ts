import { monitoringStatusSchema, type MonitoringStatus, versionInfoSchema } from '@cds/wire';
import type { Router } from 'express';
import { z } from 'zod';
import { versionInfo } from '../build-info';
import type { Metrics } from '../metrics/create-metrics';
import { route } from '../openapi/route';
import { createRouter } from './create-router';
import { handle } from './handle';
import { shareFor } from './share-for';

/** Milliseconds for which an answer of `/mon` is shared: a probe asks every few seconds. */
const SHARED_MS = 1_000;

/**
 * `/mon/version`, `/mon/status` and, where there are metrics, `/mon/metrics`: open to everybody, so
 * that an answer costs its work once a second at most.
 */
export function createMonitoringRouter(deps: {
  monitoring: () => Promise<MonitoringStatus>;
  metrics?: Pick<Metrics, 'text'>;
  /** Only tests need another. */
  sharedMs?: number;
}): Router {
  const { metrics, sharedMs = SHARED_MS } = deps;
  const monitoring = shareFor(sharedMs, deps.monitoring);
  const version = versionInfo();
  const router = createRouter();

  if (metrics) {
    const metricsText = shareFor(sharedMs, () => metrics.text());
    router.get(
      '/mon/metrics',
      route(
        {
          summary: 'Metrics for Prometheus',
          answer: z.string(),
          answerType: 'text/plain',
        },
        () => async (_req, res) => {
          const { contentType, text } = await metricsText();
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
