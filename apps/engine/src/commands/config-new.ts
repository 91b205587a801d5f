import { randomBytes } from 'node:crypto';
import {
  CDS_VERSION_OF_TODAY,
  generationOf,
  KNOWN_CDS_VERSIONS,
  knownCdsVersion,
  printConfig,
  printEnv,
  type ServiceName,
  takesConsumerTokens,
} from '@cds/config';
import { printApiConfig, type ApiConfig } from '../cds-engine/api-config';
import { findCdsEngine, HOW_TO_GET_CDS_ENGINE } from '../cds-engine/find-cds-engine';
import { usageError } from '../command-error';
import { envFileOf } from '../env-file';
import type { Context } from '../context';
import { isOurService, unknownService } from '../service-names';

export const CONFIG_FORMATS = ['toml', 'env', 'env-file'] as const;

export interface NewConfigOptions {
  format: (typeof CONFIG_FORMATS)[number];
  /** A version of CDS: `0.41`, `0.55.2`. */
  cds?: string;
}

/**
 * `engine config new [vcs] [hooks] [api] [--format FORMAT] [--cds VERSION]`. For both services, or
 * with `api`, it also prints what CDS's own engine prints for the API, with the tokens that it
 * made, where that engine is found.
 */
export async function newConfig(
  names: readonly string[],
  o: NewConfigOptions,
  context: Context,
): Promise<void> {
  const unknown = names.find((name) => name !== 'api' && !isOurService(name));
  if (unknown !== undefined) throw unknownService(unknown, 'vcs, hooks and api');
  const asked = o.cds === undefined ? undefined : knownVersion(o.cds);
  const ours = names.filter(isOurService);
  const services = (['vcs', 'hooks'] as const).filter(
    (name) => ours.length === 0 || ours.includes(name),
  );
  const wantsApi = services.length === 2 || names.includes('api');
  const asEnv = o.format !== 'toml';
  // Beside a CDS that runs already the section of the API is not missed.
  const isNamed = ours.length === 0 || names.includes('api');
  const api = wantsApi ? await apiConfig(context, { asEnv, asked, isNamed }) : undefined;
  const cds = asked ?? api?.cds ?? CDS_VERSION_OF_TODAY;
  const values = { ...newWebhookKey(services, cds), ...api?.values };
  const ourText = (asEnv ? printEnv : printConfig)({
    ...{ services, cds, values },
    omitLog: api?.hasLog,
  });
  if (o.format === 'env-file')
    return printEnvFile(`${api?.text.trim() ?? ''}\n${ourText}`, context);
  if (api) context.out(`${api.text.trim()}\n${asEnv ? '' : '\n'}${ourText}`);
  else context.out(asEnv ? ourText : `${introduction(cds, wantsApi)}\n${ourText}`);
}

function printEnvFile(exports: string, context: Context): void {
  const { text, left } = envFileOf(exports);
  context.out(text);
  for (const name of left)
    context.say(
      `Without ${name}: Docker and systemd read its quotes, backslashes or line breaks in ` +
        'two ways. engine config new --format env prints it.',
    );
}

/** @throws CommandError naming the versions that there are */
function knownVersion(text: string): string {
  const version = knownCdsVersion(text);
  if (version === undefined)
    throw usageError(
      `--cds: the configuration of CDS ${JSON.stringify(text)} is not known. Known are ` +
        `${KNOWN_CDS_VERSIONS.join(', ')}; for a later one take the last.`,
    );
  return version;
}

async function apiConfig(
  context: Context,
  { asEnv, asked, isNamed }: { asEnv: boolean; asked: string | undefined; isNamed: boolean },
): Promise<ApiConfig | undefined> {
  const engine = findCdsEngine(context);
  if (!isNamed && !context.env.CDS_ENGINE && !('path' in engine)) return undefined;
  const api =
    'path' in engine
      ? await printApiConfig({ path: engine.path, asEnv, env: context.env })
      : engine;
  const reason = 'text' in api ? whyOtherCds(api, asked) : api.reason;
  if (reason === undefined && 'text' in api) return api;
  context.say(`Without the section of the API: ${reason}`);
  return undefined;
}

/** Why what the engine of CDS printed does not go with the version that was asked for. */
function whyOtherCds({ cds }: ApiConfig, asked: string | undefined): string | undefined {
  if (asked === undefined || generationOf(asked) === generationOf(cds)) return undefined;
  return `the engine of CDS that was found is that of ${cds}, not of ${asked}: name the right one in CDS_ENGINE.`;
}

/** Where services have tokens of their own, no token can be the key of both. */
function newWebhookKey(
  services: readonly ServiceName[],
  cds: string,
): Record<string, string> | undefined {
  if (services.length < 2 || !takesConsumerTokens(cds)) return undefined;
  const key = randomBytes(32).toString('hex');
  return { 'vcs.webhookKey': key, 'hooks.webhookKey': key };
}

function introduction(cds: string, wantsApi: boolean): string {
  const lines = [
    `For CDS ${cds}. --cds VERSION prints the configuration of another version.`,
    ...(takesConsumerTokens(cds)
      ? ['Each service takes the name and the token of a consumer of its own, which CDS makes.']
      : []),
    ...(wantsApi ? HOW_TO_ADD_THE_API : []),
  ];
  return lines.map((line) => `# ${line}\n`).join('');
}

const HOW_TO_ADD_THE_API = [
  'For services beside a CDS that runs already. For the section [api] of CDS itself:',
  HOW_TO_GET_CDS_ENGINE,
  'and print this file again. The section is then part of it, with the tokens of both services.',
];
