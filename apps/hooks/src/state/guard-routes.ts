import { CdsError, isCdsError } from '@cds/wire';
import type { ErrorRequestHandler, RequestHandler } from 'express';

export interface StateOfRoutes {
  refusal(): string | undefined;
  /** Whether the hooks of the API have been read since Redis was emptied. */
  isSynchronized(): boolean;
}

const LATER = { 'Retry-After': '5' };

/** Before the routes: refuses every call while the state is not proven to be that of this CDS. */
export function onlyOurState(state: StateOfRoutes): RequestHandler {
  return (_request, _response, next) => {
    const from = state.refusal();
    next(from === undefined ? undefined : new CdsError('unavailable', { from, headers: LATER }));
  };
}

/** After the routes: turns 404 into 503 while tasks are not synchronized. */
export function absentIsUnknown(state: StateOfRoutes): ErrorRequestHandler {
  return (error: unknown, _request, _response, next) => {
    const isAbsent = isCdsError(error) && error.kind === 'notFound';
    if (!isAbsent || state.isSynchronized()) return next(error);
    const from =
      'the hooks of the API were not read yet, so it is not known whether there is such a task';
    next(new CdsError('unavailable', { from, headers: LATER, cause: error }));
  };
}
