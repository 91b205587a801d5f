import { createHash, randomUUID } from 'node:crypto';
import { awakeTime } from '@cds/testing';
import { signatureOf, webhookSecret } from '@cds/webhook-signature';
import { RequestTimeoutError, sendRequest } from '@cds/stand-ins/http';
import type { Change, SentDelivery } from '../checker/history';
import { pushBody } from './push-body';

/** A webhook of `hooks`, as Bitbucket knows it. */
export interface Webhook {
  /** uuid of the hook in CDS. */
  uuid: string;
  workflow: string;
  repository: string;
}

/** A delivery as Bitbucket keeps it, ready to be sent any number of times. */
export interface PreparedDelivery {
  hook: Webhook;
  requestUuid: string;
  changes: Change[];
  body: string;
  /** `forged`: with a signature that is not Bitbucket's; `unsigned`: with none. */
  signature: 'right' | 'forged' | 'unsigned';
}

export interface Sender {
  /**
   * A push of branches and deletions of branches, in the order given; `+name` pushes, `-name`
   * deletes.
   */
  prepare(
    hook: Webhook,
    changes: string[],
    signature?: PreparedDelivery['signature'],
  ): PreparedDelivery;
  /** Sends it once and writes down what came back. Never throws. */
  send(delivery: PreparedDelivery, to: { name: string; url: string }): Promise<SentDelivery>;
}

/**
 * Bitbucket waits 10 s for an answer, a machine that is busy may take longer for one that is in
 * time.
 */
const TIMEOUT_MS = 60_000;

/** Sends deliveries as Bitbucket Cloud does. */
export function createSender(deps: { webhookKey: string; sent: SentDelivery[] }): Sender {
  let pushes = 0;
  /** Where the branches lead to, by hook. */
  const heads = new Map<string, string>();

  return {
    prepare(hook, names, signature = 'right') {
      // What others forge moves no branch.
      const isReal = signature === 'right';
      const changes = names.map((name): Change => {
        const branch = name.slice(1);
        const of = `${hook.uuid} ${branch}`;
        const before = heads.get(of);
        pushes += 1;
        const hash = createHash('sha1').update(`${hook.uuid} ${pushes}`).digest('hex');
        if (name.startsWith('-')) {
          if (isReal) heads.delete(of);
          // A branch that was there before the first delivery leads to some commit, too.
          return { kind: 'deletion', branch, hash: before ?? hash };
        }
        if (isReal) heads.set(of, hash);
        return { kind: 'push', branch, hash, before };
      });
      return {
        hook,
        requestUuid: randomUUID(),
        changes,
        body: pushBody(hook.repository, changes),
        signature,
      };
    },

    async send({ hook, requestUuid, changes, body, signature }, to) {
      const key = signature === 'forged' ? 'not the key' : deps.webhookKey;
      const sent: SentDelivery = {
        hook: hook.uuid,
        requestUuid,
        authentic: signature === 'right',
        changes,
        replica: to.name,
        sentAt: Date.now(),
        answeredAt: Infinity,
        tookMs: 0,
      };
      const ask = async (): Promise<void> => {
        try {
          const answer = await sendRequest({
            method: 'POST',
            url: `${to.url}/webhook/${hook.uuid}`,
            headers: {
              'Content-Type': 'application/json',
              'User-Agent': 'Bitbucket-Webhooks/2.0',
              'X-Event-Key': 'repo:push',
              'X-Hook-UUID': '61b72a24-b0d0-43e1-a0ae-76c66ad781d3',
              'X-Request-UUID': requestUuid,
              'X-Attempt-Number': '1',
              ...(signature === 'unsigned'
                ? {}
                : {
                    'X-Hub-Signature': signatureOf(
                      webhookSecret(key, hook.uuid),
                      Buffer.from(body),
                    ),
                  }),
            },
            body,
            timeoutMs: TIMEOUT_MS,
          });
          sent.status = answer.status;
          const { 'retry-after': retryAfter } = answer.headers;
          if (typeof retryAfter === 'string') sent.retryAfter = retryAfter;
          if (answer.status === 200)
            sent.timestamp = (JSON.parse(answer.text) as { timestamp: number }).timestamp;
        } catch (error) {
          sent.failure = error instanceof RequestTimeoutError ? 'timeout' : 'connection';
        }
        sent.answeredAt = Date.now();
      };
      sent.tookMs = await awakeTime(ask);
      deps.sent.push(sent);
      return sent;
    },
  };
}
