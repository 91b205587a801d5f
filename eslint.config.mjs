import js from '@eslint/js';
import regexp from 'eslint-plugin-regexp';
import tseslint from 'typescript-eslint';

/** What a folder may not import, with the sentence a developer sees when it does. */
function boundary(files, patterns) {
  return {
    files,
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

const noApps = {
  group: ['**/apps/**', '**/vcs/src/**', '**/hooks/src/**', '**/engine/src/**'],
  message: 'Nothing imports an app: move what is shared into a lib.',
};
const noTools = {
  group: ['**/tools/**'],
  message: 'Libs and apps do not depend on tools.',
};
const byAlias = {
  group: ['**/libs/**'],
  message: 'Import a lib by its alias (@cds/…), never by path.',
};
const notInProduct = {
  group: ['@cds/testing', '@cds/testing/*', '@cds/stand-ins/*'],
  message: '@cds/testing and @cds/stand-ins are for tests and tools only.',
};
const storesOnly = {
  group: ['@cds/hooks-store/keys'],
  message:
    'Services call a store of @cds/hooks-store: keys are for specs, tools and the reference.',
};
const bitbucketAlone = {
  group: ['@cds/*', '!@cds/testing', '!@cds/network'],
  message: 'The Bitbucket client knows nothing of CDS.',
};
const wireAlone = {
  group: ['@cds/*', '!@cds/testing'],
  message: 'The wire types depend on nothing else.',
};

const specs = ['**/*.spec.ts', '**/*.fixture.ts', '**/test/**/*.ts'];

/** Files that are no part of a service: the stand-ins and starters of tests. */
const testLibs = ['libs/testing/**', 'libs/stand-ins/**'];

/**
 * Limits of time, which fail on a machine that is slow or busy: see "How to test" in
 * CONTRIBUTING.md.
 */
const SINCE =
  'BinaryExpression[operator="-"][left.callee.object.name=/^(Date|performance)$/][left.callee.property.name="now"]';
const limitsOfTime = [
  {
    selector: 'CallExpression[callee.object.name="jest"][callee.property.name="setTimeout"]',
    message: 'The limit of a test is that of jest.config.cjs: let waitFor name what does not come.',
  },
  {
    selector:
      'CallExpression[callee.name=/^(it|test|beforeAll|beforeEach|afterAll|afterEach)$/] > Literal[raw=/^[0-9]/]',
    message: 'The limit of a test is that of jest.config.cjs: leave its own one out.',
  },
  {
    selector: 'CallExpression[callee.callee.property.name="each"] > Literal[raw=/^[0-9]/]',
    message: 'The limit of a test is that of jest.config.cjs: leave its own one out.',
  },
  {
    selector:
      'CallExpression[callee.name="waitFor"] > ObjectExpression > Property[key.name="timeoutMs"]',
    message: 'waitFor ends when the event comes: leave timeoutMs out, the machine may be busy.',
  },
  {
    selector: `CallExpression[callee.property.name=/^toBeLessThan/] CallExpression[callee.name="expect"] > ${SINCE}`,
    message:
      'A machine may be slow: count, order events, or compare (awakeTime, cpuTime, growth of @cds/testing).',
  },
];

const SLEEP =
  'Name what a pause is for: provesNothingHappensFor or takesTime of @cds/testing; better, waitFor what comes.';
/** Pauses, which are too short on a machine that is slow, and too long on others. */
const pauses = [
  {
    selector:
      'ImportDeclaration[source.value=/^(node:)?timers.promises$/] > ImportSpecifier[imported.name=/^(setTimeout|scheduler)$/]',
    message: SLEEP,
  },
  {
    selector: 'NewExpression[callee.name="Promise"] CallExpression[callee.name="setTimeout"]',
    message: SLEEP,
  },
];
/** Stand-ins and processes under test, which take their time as the real ones do. */
const takeTheirTime = ['apps/hooks/test/cds-api-stand-in.ts', 'libs/service/test/stoppable.ts'];

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'tmp', 'coverage', '.nx', '.sandbox'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'URL',
          'URLSearchParams',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'setImmediate',
          'AbortSignal',
          'AbortController',
          'fetch',
          'performance',
          'require',
          'module',
          '__dirname',
          'structuredClone',
          'TextDecoder',
          'TextEncoder',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-console': 'error',
      eqeqeq: 'error',
      // oxfmt wraps code, but no comment.
      'max-len': ['error', { code: 1_000, comments: 100, ignoreUrls: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['{apps,libs}/*/src/**/*.ts'],
    ignores: [...specs, ...testLibs],
    plugins: { regexp },
    rules: {
      // Expressions whose time grows faster than their text, which may be a stranger's.
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential' }],
      'max-lines-per-function': ['error', { max: 140, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['tools/sandbox/page/public/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        ['document', 'location', 'history', 'navigator', 'getSelection', 'EventSource'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  {
    files: ['tools/**', 'apps/engine/**', '**/*.mjs'],
    rules: { 'no-console': 'off' },
  },
  boundary(['libs/**/*.ts'], [noApps, noTools, notInProduct]),
  boundary(['libs/bitbucket/**/*.ts'], [noApps, noTools, bitbucketAlone]),
  boundary(['libs/wire/**/*.ts'], [noApps, noTools, wireAlone]),
  boundary(['apps/**/*.ts'], [noApps, noTools, byAlias, notInProduct, storesOnly]),
  boundary(['apps/engine/src/reference/**/*.ts'], [noApps, noTools, byAlias, notInProduct]),
  boundary([...specs, 'libs/{testing,stand-ins}/**/*.ts'], [noApps, byAlias]),
  { files: specs, rules: { 'max-lines': 'off' } },
  {
    files: [...specs, 'tools/faults/**/*.ts'],
    ignores: ['libs/testing/src/testing.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...limitsOfTime] },
  },
  {
    files: specs,
    ignores: ['libs/testing/src/testing.spec.ts', ...takeTheirTime],
    rules: { 'no-restricted-syntax': ['error', ...limitsOfTime, ...pauses] },
  },
);
