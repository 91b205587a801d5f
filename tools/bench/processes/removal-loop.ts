// How fast runs of branches can be removed at best: a sorted set is emptied, and the API asked for
// each.
import { Agent } from 'node:http';
import axios from 'axios';
import { Redis } from 'ioredis';
import { answerParent } from './answer-parent';

export interface RemovalLoopOrder {
  apiUrl: string;
  redisPort: number;
  key: string;
  /** Calls at a time. */
  parallel: number;
}

/** What a member of the sorted set says, JSON. */
interface Removal {
  project: string;
  workflow: string;
  branch: string;
}

/** @returns how long it took (ms) */
async function empty(order: RemovalLoopOrder): Promise<number> {
  const redis = new Redis({ port: order.redisPort });
  const http = axios.create({
    baseURL: order.apiUrl,
    // As axios sets it, so that nothing is asked of the kernel for each call.
    httpAgent: new Agent({ keepAlive: true, keepAliveMsecs: 60_000 }),
    proxy: false,
    maxRedirects: 0,
  });
  async function worker(): Promise<void> {
    for (;;) {
      const [member] = await redis.zpopmin(order.key);
      if (member === undefined) return;
      const { project, workflow, branch } = JSON.parse(member) as Removal;
      await http.delete(
        `/project/${project}/workflows/${workflow}/runs/branch/${encodeURIComponent(branch)}`,
      );
    }
  }
  const began = performance.now();
  await Promise.all(Array.from({ length: order.parallel }, worker));
  const took = performance.now() - began;
  redis.disconnect();
  return took;
}

answerParent({ empty });
