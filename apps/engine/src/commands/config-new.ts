import { printConfig, printEnv, type ServiceName } from '@cds/config';
import { printApiConfig, type ApiConfig } from '../cds-engine/api-config';
import { findCdsEngine, HOW_TO_GET_CDS_ENGINE } from '../cds-engine/find-cds-engine';
import type { Context } from '../context';
import { isOurService, unknownService } from '../service-names';

/**
 * `engine config new [vcs] [hooks] [api] [--env]`. For both services, or with `api`, it also prints
 * what CDS's own engine prints for the API, with one token, where that is found.
 */
export async function newConfig(
  names: readonly string[],
  o: { env?: true },
  context: Context,
): Promise<void> {
  const unknown = names.find((name) => name !== 'api' && !isOurService(name));
  if (unknown !== undefined) throw unknownService(unknown, 'vcs, hooks and api');
  const ours = names.filter(isOurService);
  const services = (['vcs', 'hooks'] as const).filter(
    (name) => ours.length === 0 || ours.includes(name),
  );
  const wantsApi = services.length === 2 || names.includes('api');
  const api = wantsApi ? await apiConfig(context, o.env === true) : undefined;
  context.out(o.env ? environment(services, api) : file(services, { api, wantsApi }));
}

async function apiConfig(context: Context, asEnv: boolean): Promise<ApiConfig | undefined> {
  const engine = findCdsEngine(context);
  const api =
    'path' in engine ? await printApiConfig(engine.path, { asEnv, env: context.env }) : engine;
  if ('text' in api) return api;
  context.say(`Without the section of the API: ${api.reason}`);
  return undefined;
}

function file(
  services: readonly ServiceName[],
  { api, wantsApi }: { api: ApiConfig | undefined; wantsApi: boolean },
): string {
  if (api) {
    const ours = printConfig({ services, token: api.token, omitLog: api.hasLog });
    return `${api.text.trim()}\n\n${ours}`;
  }
  const ours = printConfig({ services });
  return wantsApi ? `${HOW_TO_ADD_THE_API}\n${ours}` : ours;
}

function environment(services: readonly ServiceName[], api: ApiConfig | undefined): string {
  if (!api) return printEnv({ services });
  return `${api.text.trim()}\n${printEnv({ services, token: api.token, omitLog: api.hasLog })}`;
}

const HOW_TO_ADD_THE_API = `# For services beside a CDS that runs already. For the section [api] of CDS itself:
# ${HOW_TO_GET_CDS_ENGINE}
# and print this file again. The section is then part of it, with one token for all.
`;
