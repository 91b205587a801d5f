import type { NewStatus, RepoRef } from '@cds/bitbucket';
import type { Logger } from '@cds/service';
import { withDeadline } from '../calls/deadline';
import type { GrantedCall } from '../calls/granted-route';
import { fullNameOf } from '../calls/request-values';
import type { BuildEvent } from './build-event';
import type { OneAtATime } from '../calls/one-at-a-time';
import { sentStatusId, type SentStatuses } from './sent-statuses';
import { shouldSend } from './status-order';

/** How long one status may take; the lock on its key outlives it. */
export const SEND_MS = 25_000;

export interface SendStatusDeps {
  sent: SentStatuses;
  oneAtATime: OneAtATime;
  logger: Logger;
  onResult(result: SendResult): void;
}

/** `known`: Bitbucket has it, or a newer one, so that it was not sent. */
export type SendResult = 'sent' | 'known' | 'failed';

/**
 * Posts a status unless Bitbucket has it already or has a newer one. The state is kept after the answer, so that a send
 * that failed is done again when the event is repeated.
 */
export function createSendStatus({ sent, oneAtATime, logger, onResult }: SendStatusDeps) {
  async function send(
    call: GrantedCall,
    repo: RepoRef,
    { node }: BuildEvent,
    status: NewStatus,
  ): Promise<SendResult> {
    const id = sentStatusId(call.server.config.name, fullNameOf(repo), node.Hash, status.key);
    const { state, description, url } = status;
    const next = { number: node.Number, subNumber: node.SubNumber, state, description, url };
    return oneAtATime(id, call.ctx.signal, async () => {
      const last = await sent.read(id);
      if (!shouldSend(last, next)) {
        logger.debug({ last, next, name: status.name }, 'build status not sent: old or known');
        return 'known';
      }
      await withDeadline(call.ctx, SEND_MS, (ctx) =>
        call.bitbucket.postStatus(repo, node.Hash, status, ctx),
      );
      await sent.write(id, next);
      return 'sent';
    });
  }

  return async (...args: Parameters<typeof send>): Promise<void> => {
    try {
      onResult(await send(...args));
    } catch (error) {
      onResult('failed');
      throw error;
    }
  };
}
