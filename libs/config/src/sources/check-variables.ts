import { PRINTED_SECTIONS } from '../keys';
import { envName, type ServiceName } from '../keys/section';
import { nearest } from './nearest';
import { isFilledInVariable, otherKindMessage } from './other-vcs-kinds';
import type { Reading } from './reading';
import { fileVariable } from './secret-variables';
import { parseServerVariable } from './server-variables';

/** What Kubernetes sets for a service that is called cds-vcs or cds-hooks. */
const KUBERNETES = /^CDS_[A-Z]+_(SERVICE_(HOST|PORT)(_.*)?|PORT(_\d+_.*)?)$/;

/** Looks for variables that nothing knows, and for VCS servers of other kinds. */
export function checkVariables(reading: Reading, services: readonly ServiceName[]): void {
  const sections = [...services, 'log' as const];
  const known = sections
    .flatMap((name) => PRINTED_SECTIONS[name])
    .flatMap(({ path, keys }) => keys.map((key) => envName([...path, key.name])));
  const prefixes = sections.map((name) => `CDS_${name.toUpperCase()}_`);

  for (const { variable, message } of reading.env.problems)
    reading.error({ key: variable }, message);
  for (const name of reading.env.names) {
    if (!prefixes.some((prefix) => name.startsWith(prefix))) continue;
    if (known.includes(name) || KUBERNETES.test(name)) continue;
    const valueOfFile = known.find((key) => fileVariable(key) === name);
    if (valueOfFile !== undefined) {
      reading.warning(
        { key: name },
        `is ignored: only secrets are read from files; set ${valueOfFile} itself`,
      );
      continue;
    }
    const variable = parseServerVariable(name);
    if (variable?.about === 'other-kind') {
      if (isFilledInVariable(name, reading.env.get(name)))
        reading.error({ key: name }, otherKindMessage(variable.kind));
    } else if (!variable) {
      reading.warning(
        { key: name },
        `is not known and is ignored; the nearest known variable is ${nearest(name, known)}`,
      );
    }
  }
}
