import {
  isConfigError,
  formatProblem,
  loadConfig,
  type LoadedConfig,
  type ServiceName,
} from '@cds/config';
import { cdsEngineEnv, findCdsEngine } from '../cds-engine/find-cds-engine';
import { waitForApi } from '../cds-engine/wait-for-api';
import { CommandError, EXIT_FAILED, usageError } from '../command-error';
import type { Context } from '../context';
import { isOurService, unknownService } from '../service-names';
import { forwardSignals } from '../supervision/forward-signals';
import { serviceBundle } from '../supervision/service-bundle';
import { createSupervisor, type ChildPlan, type Supervisor } from '../supervision/supervisor';

/**
 * `engine start vcs hooks [--config FILE]`: each service as a child process. With `api`, CDS's own engine is
 * started first, and the services once its API answers. Returns the exit code when all have ended.
 */
export async function startServices(
  names: readonly string[],
  { config: file }: { config?: string },
  context: Context,
): Promise<number> {
  const wanted = wantedServices(names, context.env);
  const services = wanted.filter(isOurService);
  // All that can be wrong is found out before anything starts.
  const api = wanted.includes('api') ? apiPlan(file, context) : undefined;
  const config = readConfig(services, file, context);
  if (!config) return EXIT_FAILED;
  const plans = services.map((service) => servicePlan(service, file, context));

  const nameWidth = Math.max(...wanted.map((name) => name.length), 'hooks'.length);
  const supervisor = createSupervisor({ say: context.say, nameWidth });
  const stopForwarding = forwardSignals(supervisor);
  if (api) await startApi(api, config, supervisor, context);
  plans.forEach((plan) => supervisor.start(plan));
  const exitCode = await supervisor.finished;
  stopForwarding();
  return exitCode;
}

function wantedServices(names: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const fromEnv = (env.CDS_SERVICE ?? '').split(/[\s,]+/).filter((name) => name !== '');
  const wanted = [...new Set(names.length > 0 ? names : fromEnv)];
  const unknown = wanted.find((name) => name !== 'api' && !isOurService(name));
  if (unknown !== undefined) throw unknownService(unknown, 'vcs, hooks and api');
  if (wanted.length === 0) throw usageError('name the services to start: vcs, hooks, api.');
  return wanted;
}

/** Undefined when it is no good; what is wrong has then been said. */
function readConfig(
  services: readonly ServiceName[],
  file: string | undefined,
  context: Context,
): LoadedConfig | undefined {
  try {
    return loadConfig({ services, file, env: context.env });
  } catch (error) {
    if (!isConfigError(error)) throw error;
    error.problems.forEach((problem) => context.say(formatProblem(problem)));
    context.say('error: nothing was started: correct the configuration first.');
    return undefined;
  }
}

function servicePlan(service: ServiceName, file: string | undefined, context: Context): ChildPlan {
  return {
    name: service,
    command: process.execPath,
    args: [serviceBundle(service, context.home), ...configArgs(file)],
    env: context.env,
  };
}

function apiPlan(file: string | undefined, context: Context): ChildPlan {
  const engine = findCdsEngine(context);
  if ('reason' in engine) throw new CommandError(`cannot start api: ${engine.reason}`);
  return {
    name: 'api',
    command: engine.path,
    args: ['start', 'api', ...configArgs(file)],
    env: cdsEngineEnv(context.env),
  };
}

async function startApi(
  plan: ChildPlan,
  { vcs, hooks }: LoadedConfig,
  supervisor: Supervisor,
  context: Context,
): Promise<void> {
  supervisor.start(plan);
  const targets = new Map(
    [vcs, hooks].filter((each) => each !== undefined).map((each) => [each.api.url, each.api]),
  );
  for (const target of targets.values())
    await waitForApi(target, { signal: supervisor.stopping, say: context.say });
}

function configArgs(file: string | undefined): string[] {
  return file === undefined ? [] : ['--config', file];
}
