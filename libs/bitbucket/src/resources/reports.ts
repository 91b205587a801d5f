import type { BitbucketClient } from '../client-types';
import type { ApiHttp } from '../http/api-http';
import type { NewReport } from '../model';
import { repoPath, routes } from '../routes';

/** Reports of Bitbucket's code insights. */
export function createReports(http: ApiHttp): Pick<BitbucketClient, 'putReport'> {
  return {
    async putReport(repo, commit, report, ctx) {
      const path = repoPath(repo, { commit, reportId: report.id });
      await http.call(routes.putReport, { path, body: toBody(report) }, ctx);
    },
  };
}

function toBody({ title, details, reporter, type, result, data }: NewReport): object {
  return { title, details, reporter, report_type: type, ...(result && { result }), data };
}
