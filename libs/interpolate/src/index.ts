export { type Budget, createBudget, MOST_WORK, TooMuchWorkError, type Work } from './budget';
export { interpolate, type InterpolateOptions, MOST_CHARACTERS } from './interpolate';
export { InterpolateError } from './interpolate-error';
export { HELPERS } from './helpers';
