import { isConsumerToken } from '@cds/wire';
import type { ConfigProblem, Slot } from '../config-problem';
import type { LoadedServices } from '../config-types';
import { envName, SERVICE_NAMES, type ServiceName } from '../keys/section';
import { findTable } from '../toml/toml-tree';
import { isMissing } from '../values/placeholder';
import type { Reading } from './reading';

/** Services of CDS itself that register with its API under the `name` of their section. */
const OTHER_SERVICES = ['api', 'cdn', 'elasticsearch', 'migrate', 'repositories', 'ui'];

/**
 * Refuses one name for two services. The API keeps one row for each name, whatever the type of the
 * service: the one that registers later takes the place of the other, and no call reports it. It
 * compares names with regard to case.
 * `[vcs]` and `[hooks]` are compared also where one of them alone is read, since the other is
 * started from the same configuration.
 */
export function checkNames(reading: Reading, services: readonly ServiceName[]): void {
  const [vcs, hooks] = SERVICE_NAMES.map((service) => nameOf(reading, service));
  const report = (level: ConfigProblem['level'], place: Slot, other: string) =>
    reading[level](
      place,
      `is the name of ${other}: the CDS API keeps one service for each name; give each its own`,
    );
  if (services.length > 0 && vcs && hooks && vcs.name === hooks.name)
    report('error', hooks.place, `[vcs], too (${vcs.place.key})`);
  for (const service of services) {
    const own = nameOf(reading, service);
    const other = OTHER_SERVICES.find((each) => nameOf(reading, each)?.name === own?.name);
    if (own && other) report('warning', own.place, `[${other}], too`);
  }
}

function nameOf(reading: Reading, section: string): { name: string; place: Slot } | undefined {
  const variable = envName([section, 'name']);
  const given = reading.env.get(variable);
  if (given !== undefined) return { name: given, place: { key: variable } };
  const node = findTable(reading.file, [section])?.children.get('name');
  if (node?.kind !== 'leaf' || typeof node.value !== 'string' || isMissing(node.value))
    return undefined;
  return { name: node.value, place: node };
}

/**
 * Warns where `vcs` would sign webhooks with a key that `hooks` does not take; refuses it where
 * that key is the token of a consumer, which `hooks` never has.
 */
export function checkSameKey(reading: Reading, { vcs, hooks }: LoadedServices): void {
  if (!vcs || !hooks || hooks.signature === 'off') return;
  // Both tokens are missing, which is said already.
  if (vcs.webhookKey === '' && hooks.webhookKeys.length === 0) return;
  if (hooks.webhookKeys.includes(vcs.webhookKey)) return;
  const isOwnToken = vcs.webhookKey === vcs.api.token && isConsumerToken(vcs.api.token);
  reading[isOwnToken ? 'error' : 'warning'](
    reading.placeOf('hooks', 'webhookKey'),
    'is not the key of [vcs], so that every signed delivery will be refused: give both sections the same webhookKey (without one, the same api.token, which CDS 0.40 to 0.43 alone have)',
  );
}

interface Listener {
  addr: string;
  port: number;
}

/** Refuses a public port that the service, or the one beside it, listens on already. */
export function checkPorts(reading: Reading, { vcs, hooks }: LoadedServices): void {
  const listener = hooks?.http.public;
  if (!listener) return;
  const place = reading.placeOf('hooks', 'http', 'publicPort');
  if (collide(listener, hooks.http))
    reading.error(
      place,
      'is the port of [hooks.http] port: take another one, or 0 to serve everything at one port',
    );
  // They may run on two machines.
  if (vcs && collide(listener, vcs.http))
    reading.warning(place, 'is the port of [vcs.http] port: not both can run on one machine');
}

function collide(one: Listener, other: Listener): boolean {
  const sameAddress = one.addr === other.addr || one.addr === '' || other.addr === '';
  return sameAddress && one.port === other.port;
}
