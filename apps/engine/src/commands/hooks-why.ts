import {
  type HookReport,
  MAX_HOOKS,
  nextSteps,
  pushTarget,
  reportOf,
  tasksOf,
} from '@cds/hooks-store';
import { CommandError, usageError } from '../command-error';
import type { ConfigOption } from '../config-option';
import type { Context } from '../context';
import { checkLimit } from '../execution-arguments';
import { formatJson } from '../print-json';
import { withServiceRedis } from '../service-redis';
import { formatReport } from '../why/print-report';
import { addSentStatuses } from '../why/sent-statuses';

export interface WhyOptions extends ConfigOption {
  branch?: string;
  json?: true;
  limit: string;
}

/** `engine hooks why UUID|REPOSITORY|URL`: what became of the pushes to a hook. */
export async function whyNoRun(given: string, o: WhyOptions, context: Context): Promise<void> {
  const target = pushTarget(given);
  if (target === undefined)
    throw usageError(
      `${JSON.stringify(given.slice(0, 200))} is no workspace/repository, no URL of a webhook and no uuid of a hook.`,
    );
  const limit = checkLimit(o.limit);
  const { reports, disabled } = await withServiceRedis(
    'hooks',
    o.config,
    context,
    async (redis, { disable }) => {
      const tasks = await tasksOf(redis, target);
      const found: HookReport[] = [];
      for (const task of tasks)
        found.push(await reportOf(redis, task, { limit, branch: o.branch }));
      return { reports: found, disabled: disable };
    },
  );
  if (reports.length === 0) throw new CommandError(noHook(target));
  const whyNoStatuses = await addSentStatuses(reports, o, context);
  const next = nextSteps(reports, o.branch);
  if (o.json) {
    context.out(formatJson({ disabled, hooks: reports, next }));
  } else {
    context.out(reports.map((report) => formatReport(report, { disabled })).join('\n'));
    for (const step of next) context.out(`- ${step}\n`);
  }
  if (whyNoStatuses !== undefined) context.say(whyNoStatuses);
  if (reports.length === MAX_HOOKS)
    context.say(`These are ${MAX_HOOKS} hooks: name one by its uuid to see another.`);
}

function noHook(target: string): string {
  return target.includes('/')
    ? `hooks knows no hook of ${target}. Has a workflow a repository webhook for it, and is it written like that? engine hooks tasks list shows all; saving the workflow in CDS makes the hook again.`
    : `there is no task ${target}: deliveries to it are answered 404. See engine hooks tasks list; a webhook at Bitbucket that still calls it can be removed there.`;
}
