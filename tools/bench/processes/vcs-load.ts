// Reads of `vcs`, so many at a time, each of another commit: what was read before serves none.
import { Agent, request } from 'node:http';
import { answerParent } from './answer-parent';
import { hashOf } from './bitbucket-world';

export interface VcsLoadOrder {
  /** Of the processes, which take turns. */
  urls: string[];
  headers: Record<string, string>;
  repo: string;
  atOnce: number;
  amount: number;
  /** Other commits in each. */
  round: number;
}

/** @returns reads a second. @throws Error when one is not answered with its commit */
async function load(order: VcsLoadOrder): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: order.atOnce });
  let next = 0;
  const began = performance.now();
  const readOn = async (): Promise<void> => {
    while (next < order.amount) {
      const number = next;
      next += 1;
      const hash = hashOf(`${order.repo} ${order.round}`, number);
      const url = `${order.urls[number % order.urls.length]}/vcs/bitbucketcloud/repos/${order.repo}/commits/${hash}`;
      const { status, text } = await get(url, order.headers, agent);
      if (status !== 200 || (JSON.parse(text) as { id: string }).id !== hash)
        throw new Error(`${url} answered ${status}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: order.atOnce }, readOn));
  agent.destroy();
  return order.amount / ((performance.now() - began) / 1000);
}

function get(
  url: string,
  headers: Record<string, string>,
  agent: Agent,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

answerParent({ load });
