import { hash } from 'node:crypto';
import { isBitbucketError, type NewReport } from '@cds/bitbucket';
import type { Router } from '@cds/service';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import * as z from 'zod';
import { fullNameOf } from '../http/repository-ref';
import { repositoryParams } from '../http/route-params';
import { grantedRoute, type GrantedCall, type RouteDeps } from '../servers/granted-route';
import { insightSchema, toReport, withoutLinks } from './insight-report';

/** CDS sends a report up to three times without a change. */
const SAME_MS = 10 * 60_000;

const insightParams = repositoryParams.extend({
  commit: z.string().meta({ description: 'The hash of the commit.' }),
  insightKey: z.string().meta({ description: 'Names the report among those of the commit.' }),
});

/** Reports about a commit, which Bitbucket shows beside its builds as code insights. */
export function addInsightRoutes(router: Router, deps: RouteDeps): void {
  /** Digest of the last report by what it is about. */
  const sent = new LRUCache<string, string>({ ...maxEntries(5_000), ttl: SAME_MS });

  router.post(
    '/vcs/:name/repos/:owner/:repo/commits/:commit/insight/:insightKey',
    {
      summary: 'Reports on a commit',
      description: "As one of Bitbucket's code insights reports. Ignored with `status.disable`.",
      params: insightParams,
      body: insightSchema,
      answer: 'nothing',
      errors: ['notFound'],
    },
    grantedRoute(deps, 'notFound', async (call, { params, body }) => {
      const { commit, insightKey } = params(call.req);
      const report = toReport(insightKey, body(call.req));
      if (call.server.config.status.disable) return;
      const id = JSON.stringify([call.grant, fullNameOf(call.repo), commit, report.id]);
      const digest = hash('sha256', JSON.stringify(report), 'base64');
      if (sent.get(id) === digest) return;
      await putReport(call, commit, report);
      sent.set(id, digest);
    }),
  );
}

async function putReport(call: GrantedCall, commit: string, report: NewReport): Promise<void> {
  const { bitbucket, repo, ctx } = call;
  try {
    await bitbucket.putReport(repo, commit, report, ctx);
  } catch (error) {
    const plain = withoutLinks(report);
    if (!plain || !isBitbucketError(error) || error.status !== 400) throw error;
    await bitbucket.putReport(repo, commit, plain, ctx);
  }
}
