import type { CdsApiClient } from '@cds/api-client';
import { createHooksStateMark, createTaskStore, STATE_FORMAT } from '@cds/hooks-store';
import { createStateGuard, type StateGuardDeps } from '@cds/redis';
import type { Registration } from '@cds/service';

/**
 * Keeps `hooks` from touching the state of another CDS. After a change of API or token, one task
 * that the API lists as a hook proves the owner.
 */
export function createHooksStateGuard(
  deps: Pick<
    StateGuardDeps,
    'redis' | 'logger' | 'onOurs' | 'onLost' | 'onWrite' | 'everyMs' | 'askAgainMs'
  > & {
    /** Names of this CDS. */
    owner: readonly string[];
    api: Pick<CdsApiClient, 'workflowHooks'>;
    registration: Pick<Registration, 'registered'>;
  },
) {
  const { redis, owner, api, registration } = deps;

  const tasks = createTaskStore({ redis });

  return createStateGuard({
    ...deps,
    claim: createHooksStateMark(redis, owner),
    understood: STATE_FORMAT,
    service: 'hooks',
    foreign: 'Redis holds the state of another CDS, of which the API lists no hook',
    unproven:
      'the API or the token is another than that of the state in Redis: waiting for the hooks of the API',
    mayProve: () => registration.registered,
    async prove() {
      let hooksOfApi = 0;
      for await (const hooks of api.workflowHooks()) {
        hooksOfApi += hooks.length;
        if (await tasks.isAny(hooks.map(({ uuid }) => uuid))) return 'proven';
      }
      return { hooksOfApi };
    },
  });
}
