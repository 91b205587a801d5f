import { createLostDeliveries } from '@cds/hooks-store';
import { type ActionOptions, printResult } from '../action-options';
import type { Context } from '../context';
import { withServiceRedis } from '../service-redis';

/** `engine hooks lost-deliveries acknowledge` */
export async function acknowledgeLostDeliveries(o: ActionOptions, context: Context): Promise<void> {
  const { deliveries, since } = await withServiceRedis('hooks', o.config, context, (redis) => {
    const lost = createLostDeliveries({ redis });
    return o.dryRun ? lost.unacknowledged() : lost.acknowledge();
  });
  const what = deliveries === 1 ? '1 delivery was lost' : `${deliveries} deliveries were lost`;
  const when = since ? `noticed since ${since.toISOString()}` : 'since when is not known';
  const done = o.dryRun
    ? `To acknowledge: ${what}, ${when}.`
    : `Acknowledged: ${what}, ${when}. The count is 0 again; what was not sent again at Bitbucket yet stays lost.`;
  printResult(o, context, {
    sentence: deliveries === 0 ? 'Nothing to acknowledge: no delivery is counted as lost.' : done,
    fields: { deliveries, since: since?.toISOString() ?? '' },
  });
}
