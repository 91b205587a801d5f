import { formatRedisAddress, loadConfig } from '@cds/config';
import {
  type HookReport,
  MAX_HOOKS,
  nextSteps,
  pushTarget,
  readSentStatuses,
  reportOf,
  tasksOf,
} from '@cds/hooks-store';
import { CommandError, reasonOf, usageError } from '../command-error';
import type { ConfigOption } from '../command-options';
import type { Context } from '../context';
import { checkLimit } from '../execution-arguments';
import { readOr } from '../load-config';
import { formatJson } from '../print';
import { askRedis, withServiceRedis } from '../service-redis';
import { formatReport } from './print-report';

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
  const found = await withServiceRedis('hooks', o.config, context, async (redis, { disable }) => {
    const reports: HookReport[] = [];
    for (const task of await tasksOf(redis, target))
      reports.push(await reportOf(redis, task, { limit, branch: o.branch }));
    return { reports, disabled: disable };
  });
  const { reports, disabled } = found;
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
    ? `hooks knows no hook of ${target}. Has a workflow a repository webhook for it, and is ` +
        'it written like that? engine hooks tasks list shows all; saving the workflow in CDS ' +
        'makes the hook again.'
    : `there is no task ${target}: deliveries to it are answered 404. See engine hooks tasks ` +
        'list; a webhook at Bitbucket that still calls it can be removed there.';
}

/**
 * Adds what Bitbucket was sent of the commits, as vcs remembers it for 30 days.
 * @returns why it cannot be known; undefined where it is
 */
async function addSentStatuses(
  reports: readonly HookReport[],
  { config: files }: ConfigOption,
  context: Context,
): Promise<string | undefined> {
  const redis = redisOfVcs(files, context);
  if (!redis)
    return 'statuses sent to Bitbucket are not known: name the configuration file of vcs, too, with another --config.';
  try {
    await askRedis(redis, async (client) => {
      for (const report of reports) await readSentStatuses(client, report);
    });
    return undefined;
  } catch (error) {
    const address = formatRedisAddress(redis.address);
    return `statuses sent to Bitbucket are not known: the Redis at ${address} cannot be asked (${reasonOf(error)}).`;
  }
}

function redisOfVcs(files: readonly string[] | undefined, { env, documents }: Context) {
  const load = () => loadConfig({ services: ['vcs'], files, documents, env });
  return readOr(load, () => undefined)?.vcs?.redis;
}
