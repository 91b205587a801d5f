import {
  GENERATION_NAMES,
  generationOf,
  type HooksConfig,
  takesConsumerTokens,
  type ServiceName,
  type VcsConfig,
} from '@cds/config';
import { isConsumerToken, monitoringStatusSchema, versionInfoSchema } from '@cds/wire';
import { type Answer, askUrl, withoutSlash } from '../../ask-url';
import { type Clocks } from './clocks';
import { reasonOf } from '../../command-error';
import { type Check, failed, ok, type Outcome, skipped, warning } from '../finding';

export type ServiceConfig = VcsConfig | HooksConfig;

/**
 * Is the API there, and of which CDS? Signs in nowhere: a sign-in makes a session, from CDS 0.51 on
 * a service, too.
 */
export function apiChecks(service: ServiceName, config: ServiceConfig, clocks: Clocks): Check[] {
  const { api } = config;
  let version = '';

  const ask = (path: string, signal: AbortSignal): Promise<Answer> =>
    askUrl({ url: `${withoutSlash(api.url)}${path}`, insecure: api.insecure, signal });

  async function reachable(signal: AbortSignal): Promise<Outcome> {
    const fix = `start the API, or correct [${service}.api.http] url; it is the API's own address, without a path`;
    const answer = await ask('/mon/version', signal).catch(reasonOf);
    if (typeof answer === 'string') return failed(`${api.url}: ${answer}`, fix);
    clocks.note(`API ${api.url}`, answer.aheadMs);
    const found = versionInfoSchema.partial().safeParse(answer.json).data?.version;
    if (answer.status !== 200 || found === undefined)
      return failed(`${api.url}/mon/version answers ${answer.status}, which is no API of CDS`, fix);
    version = found;
    const name = generationOf(found);
    return ok(`${api.url} is CDS ${found}${name ? ` (${GENERATION_NAMES[name]})` : ''}`);
  }

  function generation(): Outcome {
    const found = generationOf(version);
    if (found === undefined)
      return /\d\.\d/.test(version)
        ? failed(`CDS ${version} is too old`, 'these services work with CDS 0.40 and later')
        : skipped(
            `not known: the version ${JSON.stringify(version)} has no numbers`,
            `set [${service}.api] generation`,
          );
    const fixed = api.generation;
    if (fixed !== undefined && fixed !== found)
      return failed(
        `[${service}.api] generation is ${fixed}, and the API is of ${found}`,
        'set it to "auto"',
      );
    const isConsumer = isConsumerToken(api.token);
    if (isConsumer === takesConsumerTokens(version))
      return ok(`[${service}.api] token has the form that CDS ${version} takes`);
    return isConsumer
      ? failed(
          `[${service}.api] token is a consumer's, ` +
            `and CDS ${version} takes the shared.infra token`,
          'set it to sharedInfraToken of [api.auth]',
        )
      : failed(
          `[${service}.api] token is no token of a consumer, ` +
            `and CDS ${version} takes those alone`,
          'set it to the token of a consumer of this service alone: ' +
            'engine config new of that CDS or cdsctl consumer new makes one',
        );
  }

  /** What the API shows to everybody; CDS of today shows its maintenance alone. */
  async function registered(signal: AbortSignal): Promise<Outcome> {
    const unknown = skipped(
      'not known: the API tells nobody who is not signed in whether it takes the token and the name',
      `the check "service" says it while ${service} runs`,
    );
    const answer = await ask('/mon/status', signal);
    const lines = monitoringStatusSchema.safeParse(answer.json).data?.lines ?? [];
    const of = (component: string) => lines.find((line) => line.component === component);
    if (of('Global/Maintenance')?.value === 'true')
      return warning(
        'CDS is under maintenance',
        'deliveries are stored and processed after it ends',
      );
    const line = of(`Global/${service}`);
    if (answer.status !== 200 || !line) return unknown;
    const text = `the API says of its ${service} services: ${line.value}`;
    return line.status === 'OK' ? ok(text) : warning(text, `start ${service}`);
  }

  const needs = [`api ${service}`];
  return [
    { id: 'api', subject: service, run: reachable },
    { id: 'api.generation', subject: service, needs, run: generation },
    { id: 'api.registration', subject: service, needs, run: registered },
  ];
}

/** Does the service run, and what does it say of itself? */
export function serviceCheck(service: ServiceName, { url }: ServiceConfig): Check {
  const base = withoutSlash(url);
  const run: Check['run'] = async (signal) => {
    const absent = (why: string) =>
      warning(
        `${base}: ${why}`,
        `start ${service}, or correct [${service}] URL: the API calls it there. This was asked from this machine`,
      );
    const answer = await askUrl({ url: `${base}/mon/status`, signal }).catch(reasonOf);
    if (typeof answer === 'string') return absent(answer);
    const lines = monitoringStatusSchema.safeParse(answer.json).data?.lines;
    if (answer.status !== 200 || !lines)
      return absent(`answers ${answer.status}, which is no ${service}`);
    const bad = lines.filter(({ status }) => status !== 'OK');
    if (bad.length === 0) return ok(`${base} runs, is registered, and all of /mon/status is OK`);
    const fix = 'the guide has a table of these lines, and the log of the service the reason';
    return bad.map(({ status, component, value }) =>
      (status === 'AL' ? failed : warning)(`${component}: ${value}`, fix),
    );
  };
  return { id: 'service', subject: service, run };
}
