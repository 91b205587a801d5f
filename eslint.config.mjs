import js from '@eslint/js';
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
  group: ['@cds/testing'],
  message: '@cds/testing is for tests and tools only.',
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
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
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
  boundary(['apps/**/*.ts'], [noApps, noTools, byAlias, notInProduct]),
  boundary([...specs, 'libs/testing/**/*.ts'], [noApps, byAlias]),
  { files: specs, rules: { 'max-lines': 'off' } },
);
