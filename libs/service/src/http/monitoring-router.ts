import {
  monitoringStatusSchema,
  type MonitoringStatus,
  type ReadinessAnswer,
  readinessSchema,
  versionInfoSchema,
} from '@cds/wire';
import * as z from 'zod';
import { versionInfo } from '../build-info';
import type { Readiness } from '../create-readiness';
import type { Metrics } from '../metrics/create-metrics';
import { createRouter, type Router } from './create-router';
import { JSON_TYPE, sendBytes, sendJson } from './send-json';
import { shareFor } from './share-for';

/** Milliseconds for which an answer of `/mon` is shared: a probe asks every few seconds. */
const SHARED_MS = 1_000;

/**
 * `/mon/version`, `/mon/status`, `/mon/ready` and `/mon/metrics`: open to everybody, so that an
 * answer costs its work once a second at most.
 */
export function createMonitoringRouter(deps: {
  monitoring: () => Promise<MonitoringStatus>;
  metrics?: Pick<Metrics, 'text'> | undefined;
  readiness?: Pick<Readiness, 'refusal'> | undefined;
  /** Only tests need another. */
  sharedMs?: number | undefined;
}): Router {
  const { metrics, readiness, sharedMs = SHARED_MS } = deps;
  const monitoring = shareFor(sharedMs, async () => toBytes(await deps.monitoring()));
  const version = toBytes(versionInfo());
  const router = createRouter();

  if (metrics) {
    const metricsText = shareFor(sharedMs, async () => {
      const { contentType, text } = await metrics.text();
      return { contentType, bytes: Buffer.from(text) };
    });
    router.get(
      '/mon/metrics',
      {
        summary: 'Metrics for Prometheus',
        answer: z.string(),
        answerType: 'text/plain',
      },
      () => async (_req, res) => {
        const { contentType, bytes } = await metricsText();
        sendBytes(res, contentType, bytes);
      },
    );
  }
  router.get(
    '/mon/version',
    { summary: 'What this build is', answer: versionInfoSchema },
    () => (_req, res) => {
      sendBytes(res, JSON_TYPE, version);
    },
  );
  router.get(
    '/mon/status',
    {
      summary: 'How the service is',
      description: 'Always 200, whatever the lines say.',
      answer: monitoringStatusSchema,
    },
    () => async (_req, res) => sendBytes(res, JSON_TYPE, await monitoring()),
  );
  if (readiness) {
    router.get(
      '/mon/ready',
      {
        summary: 'Whether the service takes requests',
        description: 'For load balancers. Redis has to take writes; the CDS API may be away.',
        answer: readinessSchema,
        unready: { description: 'Redis takes no writes, or the service is stopping.' },
      },
      () => async (_req, res) => {
        const reason = await readiness.refusal();
        const answer: ReadinessAnswer = { ready: reason === undefined, reason };
        sendJson(res, answer.ready ? 200 : 503, answer);
      },
    );
  }
  return router;
}

function toBytes(answer: unknown): Buffer {
  return Buffer.from(JSON.stringify(answer));
}
