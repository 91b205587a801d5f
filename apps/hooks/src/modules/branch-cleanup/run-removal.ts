import { type CdsApiClient, RunRemover, type WorkflowRef } from '@cds/api-client';
import { type HooksConfig, isCdsAtLeast } from '@cds/config';
import type { Logger, Registration } from '@cds/service';
import type { Tracing } from '@cds/tracing';
import { isConsumerToken } from '@cds/wire';

/** From here on the API removes runs by the retention rule of their workflow. */
const FIRST_WITH_RETENTION = '0.50';

export type RunRemoval = ReturnType<typeof createRunRemoval>;

/**
 * How the runs of deleted branches are removed, by the version of the API: by branch before 0.50;
 * from then on run by run with the token of `[hooks.branchDeletion]`, and without one by the API.
 */
export function createRunRemoval(deps: {
  api: Pick<CdsApiClient, 'deleteBranchRuns'>;
  registration: Pick<Registration, 'apiVersion'>;
  config: Pick<HooksConfig, 'api' | 'branchDeletion'>;
  tracing?: Tracing | undefined;
  logger: Logger;
}) {
  const { api, registration, config, logger } = deps;
  const { token } = config.branchDeletion;
  // A changed file of the secret changes it.
  const present = () => config.branchDeletion.token ?? '';
  const isConsumer = isConsumerToken(config.api.token);
  /** Known without the API's version. */
  const isFixed = config.api.generation === '0.51' || config.api.generation === '0.54';
  const traceHeaders = deps.tracing?.headers;
  const remover =
    token === undefined
      ? undefined
      : new RunRemover({ ...config.api, token: present, traceHeaders });
  let isLogged = false;

  /** A version without numbers is a later one as a rule. */
  function hasRetention(): boolean {
    if (!isConsumer) return false;
    if (isFixed) return true;
    return isCdsAtLeast(registration.apiVersion, FIRST_WITH_RETENTION) ?? true;
  }

  return {
    /** Whether the API removes the runs, so that nothing is scheduled. Logged once. */
    isOfApi(): boolean {
      if (remover || !hasRetention()) return false;
      // Nothing is known of an API that has not answered yet.
      if (registration.apiVersion === '' && !isFixed) return false;
      if (!isLogged)
        logger.info(
          { apiVersion: registration.apiVersion },
          'CDS API removes the runs of deleted branches by the retention rules of workflows: ' +
            'no cleanup is scheduled',
        );
      isLogged = true;
      return true;
    },

    /**
     * Removes the runs of a branch.
     * @returns false where more are left
     * @throws ApiError
     */
    async remove(of: WorkflowRef & { branch: string }): Promise<boolean> {
      if (remover && hasRetention()) return (await remover.removeRunsOfBranch(of)).isAll;
      await api.deleteBranchRuns(of);
      return true;
    },

    close: () => remover?.close(),
  };
}
