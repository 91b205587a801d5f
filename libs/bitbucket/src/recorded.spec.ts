import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeShared } from '@cds/testing';
import * as z from 'zod';
import { routes } from './routes';
import { commitSchema } from './schemas/commit';
import { hookSchema } from './schemas/hook';
import { pullRequestSchema } from './schemas/pull-request';
import { branchSchema, tagSchema } from './schemas/refs';
import { repositorySchema } from './schemas/repository';
import { statusSchema } from './schemas/status';

const ROUTES = Object.values(routes);

it('asks for nothing that Bitbucket took away', () => {
  const gone = [
    '/repositories',
    '/workspaces',
    '/user/permissions/repositories',
    '/user/permissions/workspaces',
    '/users/{selected_user}',
    '/teams/{username}',
  ];
  expect(ROUTES.map((route) => route.template).filter((t) => gone.includes(t))).toEqual([]);
});

describeShared("every route against Bitbucket's specification", (root) => {
  const specification = z
    .object({
      basePath: z.string(),
      paths: z.record(
        z.string(),
        z.record(
          z.string(),
          z.union([z.object({ deprecated: z.boolean().optional() }), z.array(z.unknown())]),
        ),
      ),
    })
    .parse(JSON.parse(readFileSync(join(root, 'bitbucket/openapi.json'), 'utf8')));

  it.each(ROUTES.map((route) => [route.method, route.template] as const))(
    '%s %s exists and is not deprecated',
    (method, template) => {
      const operation = specification.paths[template]?.[method.toLowerCase()];
      expect(operation).toBeDefined();
      expect(operation).not.toHaveProperty('deprecated', true);
    },
  );

  it('holds the routes that are gone as deprecated, so that this check can fail', () => {
    expect(specification.paths['/repositories']?.['get']).toHaveProperty('deprecated', true);
    expect(specification.paths['/workspaces']?.['get']).toHaveProperty('deprecated', true);
  });
});

const HASH = /^[0-9a-f]{40}$/;
const AUTHOR = expect.objectContaining({ raw: expect.stringMatching(/^.+ <.+@.+>$/) });

/** Which recorded files hold what; the first that fits. */
const KINDS: [RegExp, z.ZodType, (model: unknown) => void][] = [
  [
    /-statuses-build\.json$/,
    statusSchema,
    (model) => {
      expect(model).toMatchObject({ key: expect.stringMatching(/./), state: 'FAILED' });
    },
  ],
  [
    /-(commit-[0-9a-f]+|pullrequests-\d+-commits_.*|commits_include.*)\.json$/,
    commitSchema,
    (model) => {
      expect(model).toMatchObject({
        hash: expect.stringMatching(HASH),
        date: expect.stringMatching(/^20\d\d-/),
        message: expect.stringMatching(/./),
        author: AUTHOR,
      });
    },
  ],
  [
    /-hooks(_pagelen_100)?\.json$/,
    hookSchema,
    (model) => {
      expect(model).toMatchObject({
        uuid: '{202cf34e-7ccf-44b7-ba6b-8827a14d5324}',
        url: 'https://jenkins.io/jenkins/bitbucket-scmsource-hook/notify',
        active: true,
      });
    },
  ],
  [
    /-pullrequests(-\d+|_pagelen_50)\.json$/,
    pullRequestSchema,
    (model) => {
      expect(model).toMatchObject({
        state: 'OPEN',
        htmlUrl: expect.stringMatching(/^https:.*\/pull-requests\/\d+$/),
        source: { hash: expect.stringMatching(/^[0-9a-f]{12}$/) },
        destination: { branch: 'master', repository: 'amuniz/test-repos' },
        author: { displayName: expect.stringMatching(/^(Nikolas Falco|Former user)$/) },
      });
    },
  ],
  [
    /-refs-branches(-.*|_pagelen_100)\.json$/,
    branchSchema,
    (model) => {
      expect(model).toMatchObject({
        name: expect.stringMatching(/./),
        hash: expect.stringMatching(HASH),
        parents: [expect.stringMatching(HASH)],
      });
    },
  ],
  [
    /-refs-tags(-.*|_pagelen_100)\.json$/,
    tagSchema,
    (model) => {
      expect(model).toMatchObject({
        hash: expect.stringMatching(HASH),
        message: expect.stringMatching(/./),
        tagger: AUTHOR,
      });
    },
  ],
  [
    /^(2\.0-repositories-amuniz-test-repos|getRepositoryPayload)\.json$/,
    repositorySchema,
    (model) => {
      expect(model).toMatchObject({
        slug: 'test-repos',
        mainBranch: 'master',
        cloneHttps: expect.stringMatching(/^https:.*\.git$/),
        cloneSsh: expect.stringMatching(/^git@.*\.git$/),
      });
    },
  ],
];

describeShared('recorded answers of Bitbucket', (root) => {
  const folder = join(root, 'bitbucket/responses');
  const files = readdirSync(folder);
  const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const kindOf = (file: string) => KINDS.find(([pattern]) => pattern.test(file));

  it.each(files.filter((file) => kindOf(file)))('%s becomes our model', (file) => {
    const [, schema, check] = kindOf(file) ?? [];
    if (!schema || !check) throw new Error('no kind');
    const page = z.object({ values: z.array(z.unknown()).min(1) }).safeParse(read(file));
    const values = page.success ? page.data.values : [read(file)];
    for (const value of values) check(schema.parse(value));
  });

  it('leaves nothing but files, differences and the answer to a deletion', () => {
    const others = files.filter((file) => !kindOf(file));
    expect(others.filter((file) => !/repos-(src|diffstat|hooks-_7B)/.test(file))).toEqual([]);
  });

  it('keeps odd names, forks and people', () => {
    const name = '2.0-repositories-amuniz-test-repos';
    expect(
      tagSchema.parse(
        read(`${name}-refs-tags-special-_22_24_3B_3E_3C_26_23__3D_40_21_7C._2C_2Ftest.json`),
      ),
    ).toEqual({
      name: 'special-"$;><&#_=@!|.,/test',
      message: 'Test special chars\n',
      date: '2023-06-01T23:33:41+00:00',
      hash: 'bf0e8b7962c024026ad01ae09d3a11732e26c0d4',
      tagger: {
        raw: 'John Doe <johndoe@acme.com>',
        displayName: 'amuniz',
        uuid: '{303f084f-c85d-45c0-9fcb-655e3d887c39}',
        nickname: 'amuniz',
        email: 'johndoe@acme.com',
        avatarUrl: expect.stringMatching(/^https:/),
      },
      author: {
        raw: 'Builder <no-reply@acme.com>',
        displayName: 'amuniz',
        uuid: '{303f084f-c85d-45c0-9fcb-655e3d887c39}',
        nickname: 'amuniz',
        email: 'no-reply@acme.com',
        avatarUrl: expect.stringMatching(/^https:/),
      },
    });
    expect(pullRequestSchema.parse(read(`${name}-pullrequests-2.json`))).toMatchObject({
      id: 2,
      source: {
        repository: 'amuniz/test-repos-fork',
        branch: 'feature/BB-2',
        hash: '046d9a3c1532',
      },
      author: { username: 'amuniz', nickname: 'amuniz' },
    });
    expect(hookSchema.parse(read(`${name}-hooks.json`))).toMatchObject({ secretSet: true });
    expect(
      hookSchema.parse(
        z.object({ values: z.array(z.unknown()) }).parse(read(`${name}-hooks_pagelen_100.json`))
          .values[0],
      ).secretSet,
    ).toBeUndefined();
  });
});
