import * as z from 'zod';
import type { BbAuthor } from '../model';
import { href, optionalText, text } from './text';

/** A user, team or app_user. `username` is gone for users since 2019; teams still have it. */
const account = z.object({
  uuid: optionalText,
  display_name: text,
  username: optionalText,
  nickname: optionalText,
  links: z
    .object({ avatar: href })
    .transform(({ avatar }) => avatar || undefined)
    .catch(undefined),
});

/** `raw` comes from git, `user` when the mail belongs to an account. */
export const gitAuthor = z
  .object({ raw: text, user: account.optional().catch(undefined) })
  .catch({ raw: '', user: undefined })
  .transform(({ raw, user }) => toAuthor(raw, user));

/** `author` of a pull request: an account alone; null when it was deleted. */
export const accountAuthor = account
  .optional()
  .catch(undefined)
  .transform((user) => toAuthor('', user));

function toAuthor(raw: string, user: z.infer<typeof account> | undefined): BbAuthor {
  return {
    raw,
    displayName: user?.display_name || (raw.split('<')[0] ?? '').trim(),
    email: /<([^<>]*)>/.exec(raw)?.[1]?.trim() ?? '',
    uuid: user?.uuid,
    username: user?.username,
    nickname: user?.nickname,
    avatarUrl: user?.links,
  };
}
