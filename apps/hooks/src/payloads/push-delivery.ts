import { z } from 'zod';
import { MalformedPushError } from './malformed-delivery';

/**
 * Most changes of one push. A real change has well over 1 KB, so a body of 1 MiB cannot hold as many; what
 * does was made to start runs by the thousand.
 */
export const MAX_CHANGES = 1000;

/** What is not essential is forgiven: a field of the wrong type counts as absent. */
const text = z.string().optional().catch(undefined);

const account = z.object({ display_name: text, nickname: text, username: text });
export type Account = z.infer<typeof account>;

const author = z.object({ raw: text, user: account.optional().catch(undefined) });
export type CommitAuthor = z.infer<typeof author>;

const ref = z.object({
  type: z.string(),
  name: z.string().min(1),
  target: z
    .object({ hash: text, message: text, author: author.optional().catch(undefined) })
    .nullish(),
});
export type Ref = z.infer<typeof ref>;

const push = z.object({
  push: z.object({
    changes: z
      .array(z.object({ old: ref.nullish(), new: ref.nullish() }))
      .max(
        MAX_CHANGES,
        `more than ${MAX_CHANGES} changes in one push: push fewer branches at a time`,
      ),
  }),
  actor: account.optional().catch(undefined),
  repository: z.object({ full_name: text }).optional().catch(undefined),
});

/** A `repo:push` delivery, as far as it is used. */
export type PushDelivery = z.infer<typeof push>;

/**
 * Reads the body of a `repo:push` delivery.
 *
 * @throws MalformedPushError naming the first path that does not hold what a push holds
 */
export function readPushDelivery(json: string): PushDelivery {
  const result = push.safeParse(parse(json));
  if (!result.success) {
    const [issue] = result.error.issues;
    const path = issue ? pathText(issue.path) : '';
    throw new MalformedPushError(
      `the body is no push of Bitbucket Cloud: ${path || 'the body'}: ${issue?.message ?? 'unreadable'}`,
    );
  }
  return result.data;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own message quotes the body, which has no place in an answer or a log.
    throw new MalformedPushError(
      'the body is not JSON: send what Bitbucket Cloud sends for repo:push',
    );
  }
}

/** `['push', 'changes', 3, 'new']` → `push.changes[3].new` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}
