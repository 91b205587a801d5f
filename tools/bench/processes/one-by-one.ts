// Sends one push after the other, with a pause between, and notes when each began: for what one
// alone takes.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerParent } from './answer-parent';
import { commitOf, type LoadedHook, signedPush } from './deliveries';

export interface OneByOneOrder {
  url: string;
  hooks: LoadedHook[];
  amount: number;
  round: number;
  /** Between an answer and the next push (ms). */
  pauseMs: number;
}

export interface SentPush {
  hash: string;
  /** When its first byte was sent, ms since the epoch. */
  at: number;
}

const agent = new Agent({ keepAlive: true });

/** @throws Error unless it was answered 200 */
function push(url: string, hook: LoadedHook, hash: string): Promise<number> {
  const { headers, body } = signedPush(hook, hash);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/webhook/${hook.uuid}`,
      { method: 'POST', agent, headers: { ...headers, 'Content-Length': body.length } },
      (response) => {
        response.resume();
        response.once('end', () =>
          response.statusCode === 200
            ? resolve(at)
            : reject(new Error(`A push was answered ${response.statusCode}`)),
        );
      },
    );
    sent.once('error', reject);
    const at = performance.timeOrigin + performance.now();
    sent.end(body);
  });
}

async function sendOneByOne(order: OneByOneOrder): Promise<SentPush[]> {
  const { url, hooks, round } = order;
  const sent: SentPush[] = [];
  for (let count = 0; count < order.amount; count += 1) {
    const index = count % hooks.length;
    const hash = commitOf(round, index, Math.floor(count / hooks.length));
    sent.push({ hash, at: await push(url, hooks[index] as LoadedHook, hash) });
    await sleep(order.pauseMs);
  }
  return sent;
}

answerParent({ sendOneByOne });
