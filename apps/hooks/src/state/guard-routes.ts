import { CdsError, isCdsError } from '@cds/wire';
import type { ErrorRequestHandler, RequestHandler } from 'express';

export interface StateOfRoutes {
  /** Why nothing may be done for anybody; undefined where it may. */
  refusal(): string | undefined;
  /** Whether the hooks of the API have been read since Redis was emptied. */
  isSynchronized(): boolean;
}

const LATER = { 'Retry-After': '5' };

/**
 * Refuses every call while the state in Redis is not known to be that of this CDS: in front of the
 * routes.
 */
export function onlyOurState(state: StateOfRoutes): RequestHandler {
  return (_request, _response, next) => {
    const from = state.refusal();
    next(from === undefined ? undefined : new CdsError('unavailable', { from, headers: LATER }));
  };
}

/** Answers 503 in place of 404 while it is not known what there is: behind the routes. */
export function absentIsUnknown(state: StateOfRoutes): ErrorRequestHandler {
  return (error: unknown, _request, _response, next) => {
    const isAbsent = isCdsError(error) && error.kind === 'notFound';
    if (!isAbsent || state.isSynchronized()) return next(error);
    const from =
      'the hooks of the API were not read yet, so it is not known whether there is such a task';
    next(new CdsError('unavailable', { from, headers: LATER, cause: error }));
  };
}
