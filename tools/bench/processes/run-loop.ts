// How fast runs can be asked of the API at best: the bodies are at hand, nothing is stored.
import { answerParent } from './answer-parent';
import type { RunSample } from './cds-api';
import { commitOf } from './deliveries';
import { createRunSender } from './post-runs';

export interface RunLoopOrder {
  apiUrl: string;
  sample: RunSample;
  uuids: string[];
  perHook: number;
  round: number;
  /** Calls at a time. */
  parallel: number;
}

/** Each hook's runs one after the other, so many hooks at a time. @returns runs a second */
async function loop(order: RunLoopOrder): Promise<number> {
  const { uuids, perHook, round } = order;
  const { post } = createRunSender(order.apiUrl, order.sample);
  let next = 0;
  async function worker(): Promise<void> {
    for (let hook = next++; hook < uuids.length; hook = next++) {
      for (let number = 0; number < perHook; number += 1)
        await post(uuids[hook] as string, commitOf(round, hook, number));
    }
  }
  const began = performance.now();
  await Promise.all(Array.from({ length: order.parallel }, worker));
  return (uuids.length * perHook * 1000) / (performance.now() - began);
}

answerParent({ loop });
