import type { LoadedConfig, ServiceConfig } from '../config-types';
import { findTable } from '../toml/toml-tree';
import { report, type Reading } from './reading';

type Listener = ServiceConfig['http'];

/** Refuses a public port that the service, or the one beside it, listens on already. */
export function checkPorts(
  reading: Reading,
  { vcs, hooks }: Pick<LoadedConfig, 'vcs' | 'hooks'>,
): void {
  const listener = hooks?.http.public;
  if (!hooks || !listener) return;
  const key = findTable(reading.file, ['hooks', 'http'])?.children.get('publicport') ?? {
    key: 'hooks.http.publicPort',
  };
  if (collide(listener, hooks.http))
    report(
      reading,
      'error',
      key,
      'is the port of [hooks.http] port: take another one, or 0 to serve everything at one port',
    );
  // They may run on two machines.
  if (vcs && collide(listener, vcs.http))
    report(
      reading,
      'warning',
      key,
      'is the port of [vcs.http] port: not both can run on one machine',
    );
}

function collide(one: Listener, other: Listener): boolean {
  const sameAddress = one.addr === other.addr || one.addr === '' || other.addr === '';
  return sameAddress && one.port === other.port;
}
