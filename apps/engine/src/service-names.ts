import type { ServiceName } from '@cds/config';
import { Argument } from 'commander';
import { usageError } from './command-error';

/** Services that CDS's own engine starts. */
const SERVICES_OF_CDS = [
  'api',
  'cdn',
  'elasticsearch',
  'hatchery',
  'migrate',
  'repositories',
  'ui',
];

/** `[services...]`: completion offers the names; {@link unknownService} says what others are. */
export function servicesArgument(description: string): Argument {
  const argument = new Argument('[services...]', description);
  argument.argChoices = ['vcs', 'hooks', 'api'];
  return argument;
}

export function isOurService(name: string): name is ServiceName {
  return name === 'vcs' || name === 'hooks';
}

export function unknownService(name: string, known: string): Error {
  const [kind = name] = name.split(':');
  return usageError(
    SERVICES_OF_CDS.includes(kind)
      ? `${name} is a service of CDS itself: use CDS's own engine for it. Here there are ${known}.`
      : `there is no service ${JSON.stringify(name)}. There are ${known}.`,
  );
}
