export { isConsumerToken } from './api-token';
export * from './cds-error';
export * from './hook-types';
export * from './known-errors';
export * from './service-types';
export * from './vcs-types';
export { onOneLine, showHidden, showHiddenOnceParsed } from './visible-text';
