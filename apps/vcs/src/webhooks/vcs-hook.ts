import type { BbHook } from '@cds/bitbucket';
import type { VcsHook } from '@cds/wire';
import * as z from 'zod';
import { text } from '../http/route-params';

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

/** Bitbucket has some thirty. Counted first, so that wrong ones are not noted one by one. */
const MAX_EVENTS = 100;
const MAX_EVENT = 100;

/** The hook that CDS sends: as in Go, what is absent is the zero value. */
export const hookSchema = z.object({
  id: text,
  name: text,
  events: z
    .array(z.unknown())
    .max(MAX_EVENTS)
    .pipe(z.array(z.string().max(MAX_EVENT)))
    .nullish()
    .transform((value) => value ?? null),
  method: text,
  url: z.url({ protocol: /^https?$/ }),
  content_type: text,
  body: text,
  disable: flag,
  insecure_ssl: flag,
  workflow: flag,
});

/** @param url as the API knows it, which is not Bitbucket's behind a proxy */
export function toVcsHook(hook: BbHook, url: string): VcsHook {
  return {
    id: hook.uuid,
    name: hook.description,
    events: hook.events,
    method: '',
    url,
    content_type: '',
    body: '',
    disable: !hook.active,
    insecure_ssl: false,
    workflow: false,
  };
}
