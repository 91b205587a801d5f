import * as z from 'zod';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import { JsonTooComplexError, parseBoundedJson } from '../../payloads/parse-bounded-json';

/**
 * Of one push. A real change has well over 1 KB and Bitbucket sends 256 KB at most, so no real push
 * has as many.
 */
export const MAX_CHANGES = 500;

/** A field that is not essential counts as absent where its type is wrong. */
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

const change = z.object({ old: ref.nullish(), new: ref.nullish() }).superRefine((one, context) => {
  // Other kinds of refs are ignored.
  const isPushed = one.new?.type === 'branch' || one.new?.type === 'tag';
  if (isPushed && !one.new?.target?.hash)
    context.addIssue({
      code: 'custom',
      path: ['new', 'target', 'hash'],
      message: 'the hash of the pushed commit is missing',
    });
});
type Change = z.infer<typeof change>;

const push = z.object({
  push: z.object({
    changes: z
      .array(z.unknown())
      .max(
        MAX_CHANGES,
        `more than ${MAX_CHANGES} changes in one push: push fewer branches at a time`,
      ),
  }),
  actor: account.optional().catch(undefined),
  repository: z.object({ full_name: text }).optional().catch(undefined),
});

/** The used parts of a `repo:push` delivery. */
export interface PushDelivery extends Pick<z.infer<typeof push>, 'actor' | 'repository'> {
  /** `index`: in the delivery. */
  changes: (Change & { index: number })[];
  /** What is wrong with the changes that are left out, each with its path. */
  unreadable: string[];
}

/**
 * Reads the body of a `repo:push` delivery. Unreadable changes are left out: the branches and tags
 * of the others have their runs.
 *
 * @throws MalformedExecutionError naming the first path that is wrong, where no change has a ref
 */
export function readPushDelivery(json: string): PushDelivery {
  let value: unknown;
  try {
    value = parseBoundedJson(json);
  } catch (error) {
    throw unreadable(error);
  }
  const result = push.safeParse(value);
  if (!result.success) throw malformed(problemOf(result.error));
  const { actor, repository, push: pushed } = result.data;
  const changes: PushDelivery['changes'] = [];
  const leftOut: string[] = [];
  pushed.changes.forEach((value, index) => {
    const one = change.safeParse(value);
    if (one.success) changes.push({ ...one.data, index });
    else leftOut.push(problemOf(one.error, ['push', 'changes', index]));
  });
  const isUseless = changes.every((one) => !one.new && !one.old);
  if (isUseless && leftOut[0] !== undefined) throw malformed(leftOut[0]);
  return { actor, repository, changes, unreadable: leftOut };
}

function malformed(problem: string): MalformedExecutionError {
  return new MalformedExecutionError(`the body is no push of Bitbucket Cloud: ${problem}`);
}

function problemOf({ issues: [issue] }: z.ZodError, above: readonly PropertyKey[] = []): string {
  const path = pathText([...above, ...(issue?.path ?? [])]);
  return `${path || 'the body'}: ${issue?.message ?? 'unreadable'}`;
}

/** @param error of the parser. Its message quotes the body, so it is not passed on. */
function unreadable(error: unknown): MalformedExecutionError {
  return new MalformedExecutionError(
    error instanceof JsonTooComplexError
      ? `the body is too much to read: ${error.message}`
      : 'the body is not JSON: send what Bitbucket Cloud sends for repo:push',
  );
}

/** `['push', 'changes', 3, 'new']` → `push.changes[3].new` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}
