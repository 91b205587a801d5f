import { createLostDeliveries } from '@cds/hooks-store';
import { checkCanConfirm, confirm, type ConfirmedOptions, printResult } from '../command-options';
import type { Context } from '../context';
import { withServiceRedis } from '../service-redis';

/** `engine hooks lost-deliveries acknowledge` */
export async function acknowledgeLostDeliveries(
  o: ConfirmedOptions,
  context: Context,
): Promise<void> {
  checkCanConfirm(o, context, 'acknowledge forgets how many deliveries were lost');
  const counts = await withServiceRedis('hooks', o.config, context, async (redis) => {
    const lost = createLostDeliveries({ redis });
    const counted = await lost.unacknowledged();
    if (o.dryRun) return counted;
    if (counted.deliveries > 0)
      await confirm(o, context, `Forget that ${lostText(counted.deliveries)}?`);
    return lost.acknowledge();
  });
  const { deliveries, since } = counts;
  const what = lostText(deliveries);
  const when = since ? `noticed since ${since.toISOString()}` : 'since when is not known';
  const done = o.dryRun
    ? `To acknowledge: ${what}, ${when}.`
    : `Acknowledged: ${what}, ${when}. The count is 0 again; what was not sent again at Bitbucket yet stays lost.`;
  printResult(o, context, {
    sentence: deliveries === 0 ? 'Nothing to acknowledge: no delivery is counted as lost.' : done,
    fields: { deliveries, since: since?.toISOString() ?? '' },
  });
}

function lostText(deliveries: number): string {
  return deliveries === 1 ? '1 delivery was lost' : `${deliveries} deliveries were lost`;
}
