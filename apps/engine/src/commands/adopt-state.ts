import { createHooksStateMark } from '@cds/hooks-store';
import { createVcsStateMark } from '@cds/redis';
import { checkCanConfirm, confirm, type ConfirmedOptions, printResult } from '../command-options';
import { CommandError } from '../command-error';
import type { Context } from '../context';
import { withServiceRedis } from '../service-redis';
import { ago, configuredOwner, readStateOwner } from '../state-owner';

const STATE_MARKS = { hooks: createHooksStateMark, vcs: createVcsStateMark };

/**
 * `engine hooks|vcs adopt`: makes the state in Redis that of the configured CDS. Asks before it
 * takes the state from another.
 */
export async function adoptState(
  service: keyof typeof STATE_MARKS,
  o: ConfirmedOptions,
  context: Context,
): Promise<void> {
  checkCanConfirm(o, context, 'adopt takes the state from the CDS that it names');
  const before = await withServiceRedis(service, o.config, context, async (redis, config) => {
    const state = await readStateOwner(service, config, redis);
    if (o.dryRun) return state;
    if (state.kind === 'other')
      await confirm(
        o,
        context,
        `The state names another API, token or webhookKey, last used ${ago(state.usedMs)}. ` +
          'Make it that of this CDS, and of no other?',
      );
    const claim = await STATE_MARKS[service](redis, [await configuredOwner(config)])('adopt');
    return claim.kind === 'format' ? claim : state;
  });
  if (before.kind === 'format')
    throw new CommandError(
      `the state in Redis has the format ${JSON.stringify(before.format)}, which this ` +
        'version cannot read: use the engine of the version that wrote it.',
    );
  printResult(o, context, {
    sentence: o.dryRun
      ? WOULD[before.kind]
      : 'Adopted: what is in Redis is the state of this CDS now, and of no other. A ' +
        `${service} that waits for it begins within seconds.`,
    fields: { service, owner_before: before.kind },
  });
}

const WOULD = {
  none: 'There is no state: adopt would write its mark.',
  ours: 'It is the state of this CDS: adopt would take it from every other that its mark names.',
  other: 'It names another API, token or webhookKey: adopt would make it the state of this CDS.',
};
