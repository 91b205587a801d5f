export { type Budget, createBudget, MAX_WORK, TooMuchWorkError, type Work } from './budget';
export { interpolate, type InterpolateOptions, MAX_CHARACTERS } from './interpolate';
export { InterpolateError } from './interpolate-error';
export { HELPERS } from './helpers';
