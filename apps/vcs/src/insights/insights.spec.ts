import { hashOf } from '../../test/stand-in-data.fixture';
import {
  useTestContext,
  type VcsInstance,
  vcsProjectHeaders,
} from '../../test/test-context.fixture';

const EVENT = 'Event "push" (e1d76ad3-4ff2-45d1-9f0c-6d5b7f9a0001)';
const HREF =
  'https://cds.acme.example/project/AC/explore/vcs/bbc/repository/acme%2Fwidgets/settings';

const context = useTestContext();
let vcs: VcsInstance;
let commit: string;

beforeEach(() => {
  vcs = context.instance({ apiVersion: [0, 57] });
  commit = String(context.widgets.commits[0]?.hash);
});

const send = (insight: unknown, at = commit, key = 'cds-event', instance = vcs) =>
  instance
    .call('post', `/vcs/bbc/repos/acme/widgets/commits/${at}/insight/${key}`)
    .set(vcsProjectHeaders(context))
    .set('content-type', 'application/json')
    .send(JSON.stringify(insight));
const link = (change: Record<string, unknown> = {}) => ({
  ...{ title: 'Analysis on AC', type: 'LINK', text: 'Success', href: HREF, ...change },
});
const report = (key = 'cds-event') => context.widgets.reports.get(`${commit} ${key}`);
const calls = () => context.bitbucket.requests.map(({ method, path }) => `${method} ${path}`);

it('a report of CDS becomes one of the code insights of the commit', async () => {
  const answer = await send({ title: 'CDS', detail: `${EVENT}: Done\n\n`, data: [link()] });
  expect(answer.status).toBe(204);
  expect(answer.text).toBe('');
  expect(calls()).toEqual([`PUT /repositories/acme/widgets/commit/${commit}/reports/cds-event`]);
  expect(report()).toEqual({
    title: 'CDS',
    details: `${EVENT}: Done`,
    reporter: 'CDS',
    report_type: 'TEST',
    result: 'PASSED',
    data: [{ title: 'Analysis on AC', type: 'LINK', value: { text: 'Success', href: HREF } }],
  });
});

it.each([
  ['Analyzing', [], 'PENDING'],
  ['Workflow', [], 'PENDING'],
  ['Done', [], 'PASSED'],
  ['Skipped', [], 'PASSED'],
  ['Error', [], 'FAILED'],
  ['Done', [link({ text: 'Error' })], 'FAILED'],
])('the event that is %s with %j has the result %s', async (status, data, result) => {
  await send({ title: 'CDS', detail: `${EVENT}: ${status}`, data });
  expect(report()).toMatchObject({ result });
});

it('a report that does not say how it ended has no result', async () => {
  await send({ title: 'Coverage', detail: 'Of the unit tests', data: null }, commit, 'coverage');
  expect(report('coverage')).not.toHaveProperty('result');
});

it.each([
  'http://127.0.0.1:8080/run/1',
  'http://cds/run/1',
  'https://cds.internal/run/1',
  'javascript:alert(1)',
  '',
])('a link that Bitbucket cannot resolve is a text: %s', async (href) => {
  expect((await send({ title: 'CDS', detail: EVENT, data: [link({ href })] })).status).toBe(204);
  expect(report()?.['data']).toEqual([{ title: 'Analysis on AC', type: 'TEXT', value: 'Success' }]);
  expect(calls()).toHaveLength(1);
});

it('links that Bitbucket refuses are sent again as texts', async () => {
  context.bitbucket.disturb({ method: 'PUT', path: /reports/, status: 400 });
  expect((await send({ title: 'CDS', detail: EVENT, data: [link()] })).status).toBe(204);
  expect(calls()).toHaveLength(2);
  expect(report()?.['data']).toMatchObject([{ type: 'TEXT', value: 'Success' }]);
});

it('keeps within the bounds of Bitbucket', async () => {
  const data = [
    link({ title: '', text: '' }),
    { title: 't'.repeat(600), type: 'TEXT', text: '', href: '' },
    { title: 'n', type: 'NUMBER', text: '12.5', href: '' },
    { title: 'n', type: 'NUMBER', text: 'many', href: '' },
    { title: 'b', type: 'BOOLEAN', text: 'true', href: '' },
    ...Array.from({ length: 20 }, () => link()),
  ];
  const insight = { title: 'x'.repeat(600), detail: 'd'.repeat(5_000), data };
  expect((await send(insight)).status).toBe(204);
  expect(report()?.['data']).toMatchObject([
    { type: 'LINK', title: 'LINK', value: { text: HREF, href: HREF } },
    { type: 'TEXT' },
    { type: 'NUMBER', value: 12.5 },
    { type: 'TEXT', value: 'many' },
    { type: 'BOOLEAN', value: true },
    ...Array.from({ length: 5 }, () => ({ type: 'LINK' })),
  ]);
});

it('an empty report has the title and the details that Bitbucket requires', async () => {
  expect((await send({})).status).toBe(204);
  expect(report()).toMatchObject({ title: 'CDS', details: 'CDS', data: [] });
});

it('the same report is sent once, a changed one again', async () => {
  const insight = (status: string) => ({ title: 'CDS', detail: `${EVENT}: ${status}`, data: [] });
  for (const status of ['Analyzing', 'Analyzing', 'Done', 'Done', 'Analyzing'])
    expect((await send(insight(status))).status).toBe(204);
  expect(calls()).toHaveLength(3);
});

it('one that Bitbucket did not take is sent again', async () => {
  context.bitbucket.disturb({ method: 'PUT', path: /reports/, status: 403 });
  const insight = { title: 'CDS', detail: EVENT, data: [] };
  expect((await send(insight)).status).toBe(403);
  expect((await send(insight)).status).toBe(204);
});

it('on an unknown commit is 404', async () => {
  const answer = await send({ title: 'CDS', detail: EVENT, data: [] }, hashOf('nowhere'));
  expect(answer.status).toBe(404);
  expect(answer.body).toMatchObject({ id: 38 });
});

it.each([
  [[]],
  [7],
  [{ data: {} }],
  [{ data: [7] }],
  [{ title: 7 }],
  [{ data: Array(101).fill(link()) }],
])('a report that is none is 400: %j', async (insight) => {
  expect((await send(insight)).status).toBe(400);
  expect(calls()).toEqual([]);
});
