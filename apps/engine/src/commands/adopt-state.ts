import { createHooksStateMark } from '@cds/hooks-store';
import { createVcsStateMark, stateOwnerOf } from '@cds/redis';
import { CommandError } from '../command-error';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { withServiceRedis } from '../service-redis';

const STATE_MARKS = { hooks: createHooksStateMark, vcs: createVcsStateMark };

/** `engine hooks|vcs adopt`: makes the state in Redis that of the configured CDS. */
export async function adoptState(
  service: keyof typeof STATE_MARKS,
  o: ConfigOption,
  context: Context,
): Promise<void> {
  const claim = await withServiceRedis(service, o.config, context, async (redis, config) => {
    const webhookKey = 'webhookKey' in config ? config.webhookKey : config.webhookKeys[0];
    return STATE_MARKS[service](redis, [await stateOwnerOf({ ...config.api, webhookKey })])(
      'adopt',
    );
  });
  if (claim.kind === 'format')
    throw new CommandError(
      `the state in Redis has the format ${JSON.stringify(claim.format)}, which this version cannot read: use the engine of the version that wrote it.`,
    );
  context.out(
    `Adopted: what is in Redis is the state of this CDS now, and of no other. A ${service} that waits for it begins within seconds.\n`,
  );
}
