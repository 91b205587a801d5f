import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@cds/testing';
import type { SentDelivery } from '../checker/history';
import type { Random } from '../seeded-random';
import type { Sender, Webhook } from './sender';

export interface LoadOptions {
  /** Pause of each sender between two deliveries (ms): from, to. */
  pauseMs?: [number, number];
  hooks?: Webhook[];
}

/** Pushes that keep coming, to several hooks at once, each hook's one after the other. */
export interface Load {
  /** Resolves when so many more were accepted than now. */
  accepted(more: number): Promise<void>;
  /** Resolves when each hook had one accepted that was sent from now on. */
  acceptedByEach(): Promise<void>;
  /** Resolves when the last answer is there. */
  stop(): Promise<void>;
}

const PAUSE_MS: [number, number] = [30, 200];

export function startLoad(
  deps: {
    random: Random;
    sender: Sender;
    hooks: Webhook[];
    /** Where the load balancer sends the next one. */
    target: () => { name: string; url: string };
    sent: SentDelivery[];
  },
  { pauseMs = PAUSE_MS, hooks = deps.hooks }: LoadOptions = {},
): Load {
  const { sender, sent } = deps;
  let on = true;
  const senders = hooks.map(async (hook, index) => {
    const random = deps.random.fork(`load ${index}`);
    for (let number = 0; on; number += 1) {
      await sender.send(sender.prepare(hook, [`+load/${index}-${number}`]), deps.target());
      await sleep(random.between(...pauseMs));
    }
  });
  const isAccepted = ({ status }: SentDelivery): boolean => status === 200;

  return {
    async accepted(more) {
      const before = sent.filter(isAccepted).length;
      await waitFor(() => sent.filter(isAccepted).length >= before + more, {
        what: `${more} more deliveries to be accepted`,
      });
    },
    async acceptedByEach() {
      const from = Date.now();
      await waitFor(
        () =>
          hooks.every(({ uuid }) =>
            sent.some((one) => one.hook === uuid && one.sentAt >= from && isAccepted(one)),
          ),
        { what: 'each hook to accept a delivery again' },
      );
    },
    async stop() {
      on = false;
      await Promise.all(senders);
    },
  };
}
