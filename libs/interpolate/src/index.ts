export { type Budget, createBudget, MAX_WORK, TooMuchWorkError } from './budget';
export { interpolate } from './interpolate';
export { InterpolateError } from './interpolate-error';
export { HELPERS } from './helpers';
