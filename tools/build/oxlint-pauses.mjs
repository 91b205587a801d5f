// ESLint's rules under a second name for .oxlintrc.json: the override of most specs, which forbids
// pauses, adds to that of all specs, which forbids limits of time.
export { default } from 'oxlint-plugin-eslint';
