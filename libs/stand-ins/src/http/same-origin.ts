import type { NextFunction, Request, Response } from 'express';

/**
 * Lets through what no browser sent (curl, a test), what a person typed into the address bar, and
 * what a page of this very origin asks. A page elsewhere would otherwise do as it likes with
 * everything that listens on this machine.
 */
export function refuseOtherOrigins(request: Request, response: Response, next: NextFunction): void {
  const origin = request.get('origin');
  const site = request.get('sec-fetch-site') ?? 'none';
  const isOwn = origin === undefined || origin === `http://${request.get('host') ?? ''}`;
  if (isOwn && ['none', 'same-origin'].includes(site)) {
    next();
    return;
  }
  response
    .status(403)
    .json({ error: `Pages of another origin (${origin ?? site}) may not do this; use curl.` });
}

/**
 * Refuses requests that were sent to another name than ours: a page elsewhere whose name was made
 * to lead to this machine would be of the same origin.
 *
 * @param hosts as they stand in `Host`, port included
 */
export function onlyForHosts(hosts: readonly string[]) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (hosts.includes(request.get('host') ?? '')) next();
    else
      response
        .status(421)
        .json({ error: `This page is at http://${hosts[0] ?? ''} and has no other name.` });
  };
}

const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Lets browsers in by the names of this machine alone, as {@link onlyForHosts} does it for a page
 * whose port is known. Others (curl, services in containers) may use any name.
 */
export function browsersByLocalName(
  request: Request,
  response: Response,
  next: NextFunction,
): void {
  const isBrowser =
    request.get('origin') !== undefined || request.get('sec-fetch-site') !== undefined;
  const name = (request.get('host') ?? '').replace(/:\d+$/, '');
  if (!isBrowser || LOCAL_NAMES.includes(name)) next();
  else response.status(421).json({ error: `Open this at http://${LOCAL_NAMES[0]} instead.` });
}
