import type { RunTraces } from '@cds/redis';
import type { Tracing } from '@cds/tracing';
import { fullNameOf } from '../http/repository-ref';
import type { SendStatus } from './send-status';

/**
 * A span for each build status, in the trace of the delivery that its run came of. `hooks` stored
 * that; where the API has handed the trace on, it is the same one.
 */
export function traceStatuses(
  sendStatus: SendStatus,
  tracing: Tracing,
  runTraces: RunTraces,
): SendStatus {
  return async (call, repo, build) => {
    const { node, hash, status } = build;
    const traceparent = node && (await runTraces.read(node));
    const start = {
      ...{ name: 'send build status', kind: 'internal' as const },
      partOf: traceparent === undefined ? undefined : { traceparent },
      attributes: {
        ...{ 'cds.project': node?.project, 'cds.workflow': node?.workflow },
        ...{ 'cds.run.number': node?.number, 'cds.node': node?.node },
        ...{ 'vcs.repository.name': fullNameOf(repo), 'vcs.ref.head.revision': hash },
        'bitbucket.status.state': status.state,
      },
    };
    return tracing.run(start, () => sendStatus(call, repo, build));
  };
}
