import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@cds/testing';
import type { PreparedDelivery } from '../stage/sender';
import { mustBe, workOn, type Fault } from './fault';

const FORGED: readonly PreparedDelivery['signature'][] = ['forged', 'unsigned'];

export const FORGERY: Fault[] = [
  {
    name: 'forged',
    what: 'forged and unsigned deliveries come while the API is away and `hooks` and Redis are killed',
    checks: 'each is refused; none cancels a cleanup',
    stage: { cleanupDelaySeconds: 6 },
    doubles: { most: 3, because: 'one a hook' },
    seconds: 20,
    async play(stage) {
      const load = stage.load();
      for (const hook of stage.webhooks) {
        await stage.push(hook, '+deleted');
        await stage.push(hook, '-deleted');
        await stage.push(hook, '+kept');
      }
      let on = true;
      const forger = (async () => {
        const random = stage.random.fork('forger');
        while (on) {
          const changes = random.pick([['+forged'], ['-kept'], ['+deleted'], ['+forged', '-kept']]);
          const hook = random.pick(stage.webhooks);
          await stage.send(stage.sender.prepare(hook, changes, random.pick(FORGED)));
          await sleep(random.between(5, 60));
        }
      })();
      stage.faultBegins();
      await stage.gate.away();
      await sleep(stage.random.between(500, 1_500));
      await stage.redis.kill();
      await sleep(stage.random.between(100, 500));
      await stage.redis.start();
      await stage.gate.back();
      await stage.kill(stage.hooks);
      await stage.hooks.start();
      stage.faultEnds();
      await workOn(load);
      await waitFor(() => stage.gate.removals.length >= stage.webhooks.length, {
        what: 'the cleanups that forged pushes must not cancel',
      });
      on = false;
      await forger;
      await stage.worked();
      const refused = stage.history.deliveries.filter(
        ({ authentic, status }) => !authentic && status === 401,
      );
      mustBe(refused.length > 10, `Only ${refused.length} forged deliveries were refused.`);
    },
  },
];
