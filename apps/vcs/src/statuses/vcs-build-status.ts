import * as z from 'zod';
import { text } from '../http/route-params';
import { MAX_TEXT, shorten, shortenDistinct } from '../http/shorten';
import {
  buildState,
  linkOrDocumentation,
  type ReportedBuild,
  type ReportedNode,
  type ReportedRun,
  statusKey,
} from './reported-build';

/** The build status that CDS 0.54 and later sends. */
export const vcsBuildStatusSchema = z
  .object({
    title: text.meta({ description: 'Empty where CDS repeats a status that was refused.' }),
    description: text,
    url_cds: text.meta({ description: 'Of the run in the UI; empty with `disableStatusDetails`.' }),
    context: text.meta({ description: '`PROJECT-workflow-node`, or `PROJECT-workflow`.' }),
    status: z.string(),
    repository_fullname: text,
    git_hash: text,
  })
  .meta({ id: 'VcsBuildStatus' });
export type VcsBuildStatus = z.infer<typeof vcsBuildStatusSchema>;

/** Of a run of a workflow: `{ui}/project/KEY/workflow/NAME/run/7`; as code it has no number. */
const RUN_URL = /\/project\/([^/?#]+)\/workflow\/([^/?#]+)\/run\/(\d{1,15})$/;

/** Makes the build that CDS 0.54 and later reports; undefined for one that is not sent. */
export function buildOfVcsBuildStatus(sent: VcsBuildStatus): ReportedBuild | undefined {
  const state = buildState(sent.status);
  const name = sent.title || sent.context;
  if (state === undefined || name === '') return undefined;
  const { run, node } = runOf(sent);
  return {
    repository: sent.repository_fullname,
    hash: sent.git_hash,
    status: {
      key: statusKey(sent.context || name),
      name: shortenDistinct(name, MAX_TEXT),
      state,
      description: shorten(sent.description, MAX_TEXT),
      url: linkOrDocumentation(sent.url_cds),
    },
    // What CDS repeats is of the past.
    run: { ...run, restarts: sent.title !== '' },
    node,
  };
}

/** The run by its URL: CDS sends no number. */
function runOf({ url_cds: url, context }: VcsBuildStatus): {
  run: ReportedRun;
  node: ReportedNode | undefined;
} {
  const [, project = '', workflow = '', digits] = RUN_URL.exec(url) ?? [];
  if (digits === undefined) return { run: { number: 0, subNumber: 0, name: url }, node: undefined };
  const number = Number(digits);
  const beginning = `${project}-${workflow}-`;
  return {
    run: { number, subNumber: 0 },
    node: context.startsWith(beginning)
      ? { project, workflow, number, node: context.slice(beginning.length), branch: '' }
      : undefined,
  };
}
