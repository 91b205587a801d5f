import type { LoadedConfig } from '../config-types';
import type { Reading } from './reading';

interface Listener {
  addr: string;
  port: number;
}

/** Refuses a public port that the service, or the one beside it, listens on already. */
export function checkPorts(
  reading: Reading,
  { vcs, hooks }: Pick<LoadedConfig, 'vcs' | 'hooks'>,
): void {
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
    reading.warn(place, 'is the port of [vcs.http] port: not both can run on one machine');
}

function collide(one: Listener, other: Listener): boolean {
  const sameAddress = one.addr === other.addr || one.addr === '' || other.addr === '';
  return sameAddress && one.port === other.port;
}
