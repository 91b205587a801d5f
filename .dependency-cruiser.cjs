// Who imports whom, cycles and directions. `npm run lint` checks it; what a folder may not import
// at all stands in .oxlintrc.json.
const TESTS = '\\.(spec|fixture)\\.ts$|^apps/[^/]+/test/';

/** @param rooms regular expressions below `apps/<app>/src/`, lowest first */
function layers(app, rooms) {
  const src = `^apps/${app}/src/`;
  const paths = rooms.map((room) => src + room);
  return paths.map((room, index) => ({
    name: `${app}-imports-downward`,
    comment: 'Move what both need into the lower room.',
    severity: 'error',
    from: { path: room, pathNot: TESTS },
    to: { path: src, pathNot: [...paths.slice(0, index + 1), `${src}about\\.ts$`] },
  }));
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-import-cycle',
      comment: 'Move what both need into a file below them.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...layers('hooks', [
      ...[
        'payloads/',
        'queue/',
        'worker-processes/',
        '(resources|timing)\\.ts$',
        'modules/',
        'hook-modules\\.ts$',
      ],
      '(webhooks|tasks|admin|monitoring|state)/',
    ]),
    {
      name: 'hook-modules-alone',
      comment: 'A hook module imports no other: share through queue/ or a store.',
      severity: 'error',
      from: { path: '^apps/hooks/src/modules/([^/]+)/', pathNot: TESTS },
      to: {
        path: '^apps/hooks/src/modules/[^/]+/',
        pathNot: '^apps/hooks/src/modules/$1/',
      },
    },
    ...layers('vcs', [
      ...['http/', 'redis/', 'monitoring/', 'rate-limit/', 'credentials/', 'coalescing/'],
      ...['servers/', 'repositories/', 'statuses/', 'commits/', 'pull-requests/', 'webhooks/'],
      ...['polling/', 'state/'],
    ]),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['node_modules', '^dist/', '^tmp/'] },
    // Types count, too: a type lives in the lower room.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mts', '.js', '.mjs', '.cjs', '.json'] },
  },
};
