import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  EXIT_CONFIG,
  EXIT_USAGE,
  formatProblem,
  type LoadedConfig,
  type RemoteOptions,
  type ServiceName,
} from '@cds/config';
import { cdsEngineEnv, findCdsEngine } from '../cds-engine/find-cds-engine';
import { waitForApi } from '../cds-engine/wait-for-api';
import { CommandError, usageError } from '../command-error';
import { argsForApi } from '../cds-engine/args-for-api';
import type { ConfigOption } from '../command-options';
import type { Context } from '../context';
import { loadConfigOrSay } from '../load-config';
import { warnOfOpenFiles } from '../readable-by-others';
import { remoteForService } from '../remote-config';
import { isOurService, unknownService } from '../service-names';
import { openOutput } from '../supervision/open-output';
import { logLineOf, sentenceOf, type SupervisionEvent } from '../supervision/supervision-event';
import {
  createSupervisor,
  STOP_DEADLINE_MS,
  type ChildPlan,
  type Supervisor,
} from '../supervision/supervisor';

/**
 * `engine start vcs hooks [--config FILE]…`: each service as a child process. With `api`, CDS's own
 * engine starts first. Of several services one that ends is started again; one alone ends this
 * command with its exit code. Returns the exit code when all have ended.
 */
export async function startServices(
  names: readonly string[],
  { config: files = [], ...remote }: ConfigOption & RemoteOptions,
  context: Context,
): Promise<number> {
  const wanted = wantedServices(names, context.env);
  const services = wanted.filter(isOurService);
  // All that can be wrong is found out before anything starts.
  const api = wanted.includes('api') ? apiPlan(files, context) : undefined;
  const config = loadConfigOrSay(services, files, context);
  if (!config) {
    context.say('error: nothing was started: correct the configuration first.');
    return EXIT_CONFIG;
  }
  for (const problem of warnOfOpenFiles(files, config)) context.say(formatProblem(problem));
  const isGroup = wanted.length > 1;
  const plans = services.map((service) =>
    servicePlan(service, { files, remote, isGroup }, context),
  );

  const nameWidth = Math.max(...wanted.map((name) => name.length), 'hooks'.length);
  // Nobody reads any more (`| head`): a service whose logs are lost does not go on.
  const closed = (): void => supervisor.stop('SIGTERM');
  const outputs = {
    stdout: openOutput(process.stdout, closed),
    stderr: openOutput(process.stderr, closed),
  };
  const { stdout, stderr } = outputs;
  const report = (event: SupervisionEvent): void => {
    if (stdout.isTerminal) stderr.stream.write(`${sentenceOf(event)}\n`);
    else stdout.stream.write(logLineOf(event));
  };
  const stopDelays = [config.vcs, config.hooks].map((each) => each?.http.stopDelaySeconds ?? 0);
  const stopDeadlineMs = STOP_DEADLINE_MS + Math.max(...stopDelays) * 1_000;
  const supervisor = createSupervisor({ report, outputs, nameWidth, stopDeadlineMs });
  const stopForwarding = forwardSignals(supervisor);
  if (api) await startApi(api, config, supervisor, report);
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

/** What a new start does not mend. */
const FINAL_CODES: readonly (number | null)[] = [EXIT_CONFIG, EXIT_USAGE];

function servicePlan(
  service: ServiceName,
  o: { files: readonly string[]; remote: RemoteOptions; isGroup: boolean },
  context: Context,
): ChildPlan {
  const remote = remoteForService(o.remote);
  const files = o.files.flatMap((file) => ['--config', file]);
  return {
    name: service,
    command: process.execPath,
    // It reads its configuration again at each start.
    args: [serviceBundle(service, context.home), ...files, ...remote.args],
    env: { ...context.env, ...remote.env },
    endsGroup: (code) => !o.isGroup || FINAL_CODES.includes(code),
  };
}

function apiPlan(files: readonly string[], context: Context): ChildPlan {
  const engine = findCdsEngine(context);
  if ('reason' in engine) throw new CommandError(`cannot start api: ${engine.reason}`);
  return {
    name: 'api',
    command: engine.path,
    args: ['start', 'api', ...argsForApi(files, context.documents)],
    env: cdsEngineEnv(context.env),
    // It asks what to do where the binary of the worker is missing.
    hasNoInput: true,
    endsGroup: () => true,
  };
}

async function startApi(
  plan: ChildPlan,
  { vcs, hooks }: LoadedConfig,
  supervisor: Supervisor,
  report: (event: SupervisionEvent) => void,
): Promise<void> {
  const targets = new Map(
    [vcs, hooks].filter((each) => each !== undefined).map((each) => [each.api.url, each.api]),
  );
  // An API that never answered ends all: nothing else was started yet, and CDS says why.
  let hasAnswered = false;
  supervisor.start({ ...plan, endsGroup: () => !hasAnswered || targets.size === 0 });
  for (const target of targets.values())
    await waitForApi(target, {
      signal: supervisor.stopping,
      onWait: () => report({ kind: 'waiting-for-api', url: target.url }),
    });
  hasAnswered = true;
}

/** The bundle of a service, in the folder of the engine's. */
function serviceBundle(service: ServiceName, home: string): string {
  const bundle = join(home, 'services', service, 'main.js');
  if (existsSync(bundle)) return bundle;
  throw new CommandError(
    `the ${service} service is not installed with this command: ${bundle} is missing. ` +
      'Install the package of the engine again.',
  );
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * A terminal sends Ctrl-C to a whole group, so behind a wrapper (npx) it comes twice at once. A
 * service takes a second signal as "at once": only a later one is passed on.
 */
const SAME_SIGNAL_MS = 1_000;

/** Passes signals on to the children. Returns how to undo it. */
function forwardSignals(supervisor: Supervisor): () => void {
  let last = Number.NEGATIVE_INFINITY;
  const forward = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    const isRepeated = now - last < SAME_SIGNAL_MS;
    last = now;
    if (!isRepeated) supervisor.stop(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  };
  SIGNALS.forEach((signal) => process.on(signal, forward));
  return () => {
    SIGNALS.forEach((signal) => process.off(signal, forward));
  };
}
