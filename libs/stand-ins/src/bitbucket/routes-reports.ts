import { parseUrl } from '@cds/network';
import { BitbucketApiError, invalidField } from './api-error';
import { bodyOf, guarded, listing, repositoryOf, type Routes } from './api-context';
import { checkedLength } from './field-checks';
import type { Json } from './model';
import { commitInPath } from './routes-commits';
import { requiredText } from './routes-statuses';

const REPORT_TYPES = ['SECURITY', 'COVERAGE', 'TEST', 'BUG'];
const RESULTS = ['PASSED', 'FAILED', 'PENDING'];
const NUMBERS = ['DATE', 'DURATION', 'NUMBER', 'PERCENTAGE'];
const MAX_TITLE = 450;
const MAX_DETAILS = 2_000;
const MAX_LINK = 450;
const MAX_DATA = 10;
/** Links to hosts that nobody outside can resolve are refused. */
const NOT_PUBLIC =
  /^(localhost|127\..*|10\..*|192\.168\..*|\[.*\]|[^.]+|.*\.(internal|intranet|local|lan|test|invalid))$/;

/** Reports of code insights about a commit. */
export const reportRoutes: Routes = (router, context) => {
  const root = '/repositories/:workspace/:slug/commit/:commit/reports';

  router.get(
    root,
    guarded(['repository'], (request) => {
      const repository = repositoryOf(context, request);
      const { hash } = commitInPath(repository, request);
      return listing(context, request, [...(repository.reports.get(hash)?.values() ?? [])]);
    }),
  );

  router.get(
    `${root}/:id`,
    guarded(['repository'], (request) => {
      const repository = repositoryOf(context, request);
      const { hash } = commitInPath(repository, request);
      const found = repository.reports.get(hash)?.get(request.params['id'] ?? '');
      if (!found) throw new BitbucketApiError(404, `No report ${request.params['id']}`);
      return found;
    }),
  );

  router.put(
    `${root}/:id`,
    guarded(['repository'], (request) => {
      const repository = repositoryOf(context, request);
      const { hash } = commitInPath(repository, request);
      const { id = '' } = request.params;
      const ofCommit = repository.reports.get(hash) ?? new Map<string, Json>();
      repository.reports.set(hash, ofCommit);
      const before = ofCommit.get(id);
      const now = new Date().toISOString();
      const report: Json = {
        ...checked(bodyOf(request)),
        type: 'report',
        external_id: id,
        uuid: before?.['uuid'] ?? `{${hash.slice(0, 8)}-${ofCommit.size}}`,
        created_on: before?.['created_on'] ?? now,
        updated_on: now,
      };
      ofCommit.set(id, report);
      return report;
    }),
  );
};

/** @throws BitbucketApiError 400 */
function checked(body: Json): Json {
  checkedLength('title', requiredText(body, 'title'), MAX_TITLE);
  checkedLength('details', requiredText(body, 'details'), MAX_DETAILS);
  checkChoice('report_type', requiredText(body, 'report_type'), REPORT_TYPES);
  if (body['result'] !== undefined) checkChoice('result', body['result'], RESULTS);
  if (body['link'] !== undefined) checkLink('link', body['link']);
  const data = body['data'] ?? [];
  if (!Array.isArray(data)) throw invalidField('data', 'expected a list');
  if (data.length > MAX_DATA) throw invalidField('data', `at most ${MAX_DATA} elements`);
  for (const field of data as unknown[]) checkData(field);
  return body;
}

function checkChoice(field: string, value: unknown, choices: readonly string[]): void {
  if (!choices.includes(String(value)))
    throw invalidField(field, `"${String(value)}" is not one of ${choices.join(', ')}`);
}

function checkData(field: unknown): void {
  const { title, type, value } = Object(field) as Json;
  if (typeof title !== 'string' || title === '') throw invalidField('data.title', 'required');
  checkedLength('data.title', title, MAX_TITLE);
  if (type === 'LINK') {
    const { text, href } = Object(value) as Json;
    if (typeof text !== 'string' || text === '') throw invalidField('data.value.text', 'required');
    checkLink('data.value.href', href);
  } else if (type === 'BOOLEAN') {
    if (typeof value !== 'boolean') throw invalidField('data.value', 'expected a boolean');
  } else if (NUMBERS.includes(String(type))) {
    if (typeof value !== 'number') throw invalidField('data.value', 'expected a number');
  } else if (type === 'TEXT' || type === undefined) {
    if (typeof value !== 'string' || value === '') throw invalidField('data.value', 'required');
  } else {
    throw invalidField('data.type', `"${String(type)}" is not known`);
  }
}

function checkLink(field: string, href: unknown): void {
  if (typeof href !== 'string' || !/^https?:/i.test(href) || !parseUrl(href))
    throw invalidField(field, 'Enter a valid URL.');
  checkedLength(field, href, MAX_LINK);
  if (NOT_PUBLIC.test(new URL(href).hostname))
    throw invalidField(field, 'The host cannot be resolved.');
}
