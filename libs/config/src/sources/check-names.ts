import { envName, SERVICE_NAMES, type ServiceName } from '../keys/section';
import { findTable } from '../toml/toml-tree';
import { isMissing } from '../values/placeholder';
import type { Slot } from '../config-problem';
import type { Reading } from './reading';

/** Services of CDS itself that register with its API under the `name` of their section. */
const OTHER_SERVICES = ['api', 'cdn', 'elasticsearch', 'migrate', 'repositories', 'ui'];

/**
 * Refuses one name for two services. The API keeps one row for each name, whatever the type of the
 * service: the one that registers later takes the place of the other, and no call tells of it. It
 * compares names with regard to case.
 * `[vcs]` and `[hooks]` are compared also where one of them alone is read, since the other is
 * started from the same configuration.
 */
export function checkNames(reading: Reading, services: readonly ServiceName[]): void {
  const [vcs, hooks] = SERVICE_NAMES.map((service) => nameOf(reading, service));
  if (services.length > 0 && vcs && hooks && vcs.name === hooks.name)
    reading.error(
      hooks.place,
      `is the name of [vcs], too (${vcs.place.key}): the CDS API keeps one service for each name; give each its own`,
    );
  for (const service of services) {
    const own = nameOf(reading, service);
    const other = OTHER_SERVICES.find((each) => nameOf(reading, each)?.name === own?.name);
    if (own && other)
      reading.warn(
        own.place,
        `is the name of [${other}], too: the CDS API keeps one service for each name; give each its own`,
      );
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
