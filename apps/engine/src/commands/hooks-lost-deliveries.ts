import { createLostDeliveries } from '@cds/hooks-store';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { withServiceRedis } from '../service-redis';

/** `engine hooks lost-deliveries acknowledge` */
export async function acknowledgeLostDeliveries(o: ConfigOption, context: Context): Promise<void> {
  const { deliveries, since } = await withServiceRedis('hooks', o.config, context, (redis) =>
    createLostDeliveries({ redis }).acknowledge(),
  );
  if (deliveries === 0) {
    context.out('Nothing to acknowledge: no delivery is counted as lost.\n');
    return;
  }
  const what = deliveries === 1 ? '1 delivery was lost' : `${deliveries} deliveries were lost`;
  const when = since ? `noticed since ${since.toISOString()}` : 'since when is not known';
  context.out(
    `Acknowledged: ${what}, ${when}. The count is 0 again; what was not sent again at Bitbucket yet stays lost.\n`,
  );
}
