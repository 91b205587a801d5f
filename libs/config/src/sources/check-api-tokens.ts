import { isConsumerToken } from '@cds/wire';
import type { HooksConfig, LoadedServices, VcsConfig } from '../config-types';
import { SERVICE_NAMES, type ServiceName } from '../keys/section';
import { GENERATION_NAMES } from '../values/cds-version';
import { readConsumerToken } from '../values/consumer-token';
import type { Reading } from './reading';

/** Checks that the tokens, `generation` and the servers belong to one and the same CDS. */
export function checkApiTokens(reading: Reading, loaded: LoadedServices): void {
  for (const service of SERVICE_NAMES) {
    const api = loaded[service]?.api;
    if (!api || api.token === '') continue;
    if (isConsumerToken(api.token)) checkConsumer(reading, service, api.token);
    checkGeneration(reading, service, api);
  }
  checkOneConsumerEach(reading, loaded);
  checkOneApi(reading, loaded);
  if (loaded.vcs) checkServers(reading, loaded.vcs);
  if (loaded.hooks) checkCleanupToken(reading, loaded.hooks);
}

const NOT_WHOLE =
  'has the three parts of the token of a consumer, but cannot be read as one: copy it whole, as CDS printed it';

function checkConsumer(reading: Reading, service: ServiceName, token: string): void {
  const place = reading.givenAt(service, 'api', 'token');
  const content = readConsumerToken(token);
  if (!content) reading.warning(place, NOT_WHOLE);
  else if (content.kind === 'start-up')
    reading.error(
      place,
      'is the token for the first sign-up (INIT_TOKEN), and that of no service: put the token of the consumer there, from the section of this service as CDS printed it',
    );
  else if (content.kind === 'other')
    reading.error(
      place,
      'is a token of CDS, but not that of a consumer: take the one that `cdsctl consumer new` or `engine config new` of CDS printed for this service',
    );
}

function checkGeneration(reading: Reading, service: ServiceName, api: VcsConfig['api']): void {
  const { generation, token } = api;
  if (!generation) return;
  const isConsumer = isConsumerToken(token);
  if (isConsumer === (generation !== '0.40')) return;
  const place = reading.givenAt(service, 'api', 'generation');
  const name = GENERATION_NAMES[generation];
  reading.error(
    place,
    isConsumer
      ? `is that of ${name}, and api.token is that of a consumer, which CDS 0.44 and later take: put sharedInfraToken of the CDS API there, or set generation to "auto"`
      : `is that of ${name}, and api.token has not the form of a consumer's, three parts joined by dots; CDS 0.40 to 0.43 take such a one: put the token there that CDS made for this service, or set generation to "auto"`,
  );
}

/** CDS keeps one service a consumer, of one type. */
function checkOneConsumerEach(reading: Reading, { vcs, hooks }: LoadedServices): void {
  if (!vcs || !hooks || !isConsumerToken(hooks.api.token)) return;
  const idOf = (token: string) => readConsumerToken(token)?.id ?? token;
  if (idOf(vcs.api.token) !== idOf(hooks.api.token)) return;
  reading.error(
    reading.givenAt('hooks', 'api', 'token'),
    'is that of the consumer of [vcs]: CDS 0.44 and later keep one service a consumer; make one for each',
  );
}

/** One API is of one version. */
function checkOneApi(reading: Reading, { vcs, hooks }: LoadedServices): void {
  if (!vcs || !hooks || vcs.api.url !== hooks.api.url) return;
  if (vcs.api.token === '' || hooks.api.token === '') return;
  if (isConsumerToken(vcs.api.token) !== isConsumerToken(hooks.api.token))
    reading.error(
      reading.givenAt('hooks', 'api', 'token'),
      'belongs to another version of CDS than that of [vcs]: CDS 0.40 to 0.43 take the shared.infra token for both, later ones the token of a consumer for each',
    );
  const ofVcs = vcs.api.generation ?? hooks.api.generation;
  if (ofVcs && hooks.api.generation && ofVcs !== hooks.api.generation)
    reading.error(
      reading.givenAt('hooks', 'api', 'generation'),
      `is that of ${GENERATION_NAMES[hooks.api.generation]}, and that of [vcs] is of ${GENERATION_NAMES[ofVcs]}: both have the same API`,
    );
}

function checkServers(reading: Reading, { api, servers }: VcsConfig): void {
  const place = reading.placeOf('vcs', 'servers');
  if (api.generation === '0.54' && servers.length > 0)
    reading.warning(
      place,
      'is not used: from CDS 0.54 on credentials belong to VCS projects (`cdsctl project vcs import`); remove it',
    );
  if (api.generation === '0.44' && servers.length === 0)
    reading.warning(
      place,
      'is missing: CDS 0.44 to 0.50 link repositories by it alone; add [vcs.servers.bitbucketcloud.bitbucketcloud] with clientId and clientSecret',
    );
}

function checkCleanupToken(reading: Reading, { api, branchDeletion }: HooksConfig): void {
  const { token } = branchDeletion;
  if (token === undefined) return;
  const place = reading.givenAt('hooks', 'branchDeletion', 'token');
  if (api.token !== '' && !isConsumerToken(api.token))
    reading.warning(
      place,
      'is not used: CDS 0.40 to 0.43 let a service remove the runs of a branch',
    );
  else if (!isConsumerToken(token))
    reading.error(
      place,
      'has not the form of the token of a consumer, three parts joined by dots: take the one that `cdsctl consumer new` printed',
    );
  else if (token === api.token)
    reading.error(
      place,
      'is that of the service, which may remove no runs: make a consumer that may, and no service',
    );
}
