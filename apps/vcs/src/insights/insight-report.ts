import { parseUrl } from '@cds/network';
import type { NewReport, ReportData } from '@cds/bitbucket';
import { whyUnreachable } from '@cds/config';
import * as z from 'zod';
import { text } from '../http/route-params';
import { shorten, shortenDistinct } from '../http/shorten';

/** CDS sends six. */
const MAX_SENT = 100;

/** A report about a commit, as CDS sends it. */
export const insightSchema = z
  .object({
    title: text,
    detail: text,
    data: z
      .array(z.unknown())
      .max(MAX_SENT)
      .pipe(z.array(z.object({ title: text, type: text, text, href: text })))
      .nullish()
      .transform((value) => value ?? []),
  })
  .meta({ id: 'VcsInsight' });
export type Insight = z.infer<typeof insightSchema>;

/**
 * Bitbucket's bounds of a report:
 * https://developer.atlassian.com/server/bitbucket/how-tos/code-insights/ for the lengths, the
 * specification of the REST API for the ten fields.
 */
const MAX_TITLE = 450;
const MAX_DETAILS = 2_000;
const MAX_LINK = 450;
const MAX_DATA = 10;
const MAX_ID = 100;

/** `Event "push" (uuid): Done`, of the event that led to the commit's runs. */
const EVENT = /^Event ".*" \([\w-]+\): (\w+)/;

const NUMBERS = ['DATE', 'DURATION', 'NUMBER', 'PERCENTAGE'] as const;

/** Makes Bitbucket's report of CDS's. @param key names it among those of the commit */
export function toReport(key: string, insight: Insight): NewReport {
  const data = insight.data.slice(0, MAX_DATA);
  return {
    id: shortenDistinct(key, MAX_ID),
    title: shorten(insight.title || 'CDS', MAX_TITLE),
    // Bitbucket wants one.
    details: shorten(insight.detail.trim() || insight.title || 'CDS', MAX_DETAILS),
    reporter: 'CDS',
    type: 'TEST',
    result: resultOf(insight),
    data: data.map(toData),
  };
}

/** Without links, which Bitbucket refuses when it cannot resolve them; undefined for none. */
export function withoutLinks(report: NewReport): NewReport | undefined {
  const data = report.data.map((field) =>
    field.type === 'LINK' ? textField(field.title, field.value.text) : field,
  );
  return report.data.some(({ type }) => type === 'LINK') ? { ...report, data } : undefined;
}

/** Undefined where CDS does not say how it ended. */
function resultOf({ detail, data }: Insight): NewReport['result'] {
  const [, status] = EVENT.exec(detail) ?? [];
  if (status === undefined) return undefined;
  const isFailed = status === 'Error' || data.some(({ text }) => text === 'Error');
  if (isFailed) return 'FAILED';
  return status === 'Done' || status === 'Skipped' ? 'PASSED' : 'PENDING';
}

function toData({ title, type, text, href }: Insight['data'][number]): ReportData {
  const name = shorten(title || type || 'CDS', MAX_TITLE);
  const word = type.toUpperCase();
  if (word === 'LINK' && isPublicLink(href))
    return { title: name, type: 'LINK', value: { text: shorten(text || href, MAX_TITLE), href } };
  if (word === 'BOOLEAN' && /^(true|false)$/i.test(text))
    return { title: name, type: 'BOOLEAN', value: text.toLowerCase() === 'true' };
  const number = NUMBERS.find((one) => one === word);
  if (number && text.trim() !== '' && Number.isFinite(Number(text)))
    return { title: name, type: number, value: Number(text) };
  return textField(name, text);
}

function textField(title: string, text: string): ReportData {
  // An empty value is refused.
  return { title, type: 'TEXT', value: shorten(text || '-', MAX_TITLE) };
}

function isPublicLink(href: string): boolean {
  const isLink = /^https?:\/\//i.test(href) && href.length <= MAX_LINK;
  return isLink && parseUrl(href) !== undefined && whyUnreachable(href) === undefined;
}
