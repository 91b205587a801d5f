import * as z from 'zod';

/** Of each list; beyond it the newest changes are found by the refs of the repository. */
const MAX_EVENTS = 5_000;
/** `vcs` cuts messages at 2,000 characters; an event that is far larger is none of its. */
const MAX_EVENT_CHARACTERS = 64 * 1024;
/** Git allows no more for a ref where it is kept as a file. */
const MAX_NAME_LENGTH = 1_024;

const text = z.string().catch('');
const name = z.string().max(MAX_NAME_LENGTH).catch('');

/** `id` and `display_id` name the branch; a tag comes as `refs/tags/NAME`. */
const branch = z
  .object({
    id: name,
    display_id: name,
    latest_commit: text,
    default: z.boolean().catch(false),
  })
  .refine(({ id, display_id }) => id !== '' || display_id !== '');

/** Tolerates wrong values that are not essential. Drops unknown fields of any depth. */
const push = z.object({
  repo: text,
  branch,
  commit: z.object({
    id: z.string().regex(/^[0-9a-f]{7,64}$/i),
    author: z
      .object({ name: text, displayName: text, emailAddress: text, avatar: text })
      .catch({ name: '', displayName: '', emailAddress: '', avatar: '' }),
    authorTimestamp: z.number().catch(0),
    message: text,
    url: text,
  }),
  clone_url: text,
});

/** A branch, tag or head of a pull request that points to another commit than before. */
export type PolledPush = z.infer<typeof push>;

const list = z.array(z.unknown()).nullish();
const answer = z.object({ push_events: list, delete_events: list, pullrequest_events: list });

export interface PolledEvents {
  pushes: PolledPush[];
  /** The heads of pull requests that were opened or pushed to. */
  pullRequests: PolledPush[];
  /** Names of the branches and tags (`refs/tags/NAME`) that are gone. */
  deletions: string[];
  /** Events that were left out: too many, too large, or not to be understood. */
  unreadable: number;
  /** When the next look is worth its calls (seconds); undefined when the API does not say. */
  intervalSeconds: number | undefined;
}

/**
 * The API's answer to a poll. New branches are pushes too, so `create_events` are not needed.
 * @param interval the header `X-CDS-Poll-Interval`
 * @returns undefined for what is no such answer
 */
export function readPolledEvents(json: unknown, interval: unknown): PolledEvents | undefined {
  const parsed = answer.safeParse(json);
  if (!parsed.success) return undefined;
  let unreadable = 0;

  function readAll<T>(entries: unknown[] | null | undefined, schema: z.ZodType<T>): T[] {
    const all = entries ?? [];
    unreadable += Math.max(0, all.length - MAX_EVENTS);
    return all.slice(0, MAX_EVENTS).flatMap((entry) => {
      const one = schema.safeParse(entry).data;
      if (one !== undefined && JSON.stringify(one).length <= MAX_EVENT_CHARACTERS) return [one];
      unreadable++;
      return [];
    });
  }

  const { push_events, pullrequest_events, delete_events } = parsed.data;
  const pushes = readAll(push_events, push);
  const pullRequests = readAll(pullrequest_events, z.object({ head: push })).map(
    ({ head }) => head,
  );
  const deletions = readAll(delete_events, z.object({ branch })).map(
    ({ branch: { id, display_id } }) => display_id || id,
  );
  return { pushes, pullRequests, deletions, unreadable, intervalSeconds: secondsOf(interval) };
}

function secondsOf(interval: unknown): number | undefined {
  return typeof interval === 'string' && /^\d{1,9}$/.test(interval) ? Number(interval) : undefined;
}
