import * as z from 'zod';

const MAX_MESSAGE = 1_000;
/** Enough of a page to find its title; keeps the cost of stripping it small. */
const MAX_HTML = 8 * 1024;
/** More than fit into a message. */
const MAX_ITEMS = 100;

const restError = z.object({
  error: z.object({
    message: z.string().catch(''),
    detail: z.unknown().optional(),
    fields: z.record(z.string(), z.unknown()).optional().catch(undefined),
    data: z.object({ announcement_url: z.string() }).optional().catch(undefined),
  }),
});

/** RFC 6749, 5.2: what the token endpoint answers. */
const oauthError = z.object({ error: z.string(), error_description: z.string().catch('') });

export interface ErrorBody {
  /** One readable line, at most 1,000 characters; '' when the body says nothing. */
  message: string;
  /** The error code of RFC 6749, from the token endpoint. */
  oauthError?: string;
}

/**
 * Makes one line of any error body: Bitbucket's envelope, RFC 6749, HTML, plain text. Never throws.
 * `hide` removes secrets before anything is cut off, so that no half of one is left.
 */
export function parseErrorBody(
  body: Buffer,
  hide: (text: string) => string = (text) => text,
): ErrorBody {
  const text = body.toString('utf8');
  const oneLine = (line: string) => readable(hide(line));
  const json = parseJson(text);
  const rest = restError.safeParse(json);
  if (rest.success) return { message: oneLine(restMessage(rest.data.error)) };
  const oauth = oauthError.safeParse(json);
  if (oauth.success) {
    const { error, error_description: description } = oauth.data;
    return {
      message: oneLine(description ? `${description} (${error})` : error),
      oauthError: error,
    };
  }
  const page = hide(text);
  return { message: oneLine(/<[a-z!]/i.test(page) ? stripHtml(page) : page) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function restMessage(error: z.infer<typeof restError>['error']): string {
  const parts = [error.message, detailText(error.detail)];
  for (const [field, problems] of Object.entries(error.fields ?? {}).slice(0, MAX_ITEMS)) {
    const text = plain(problems);
    // Bitbucket's message often names the first field already.
    if (!error.message.includes(text)) parts.push(`${field}: ${text}`);
  }
  if (error.data) parts.push(error.data.announcement_url);
  return parts.filter((part) => part !== '').join(' - ');
}

/** A string, or an object for missing scopes: `{required: [scope], granted: [scope]}`. */
function detailText(detail: unknown): string {
  if (typeof detail === 'string') return detail;
  if (typeof detail !== 'object' || detail === null) return '';
  return Object.entries(detail)
    .slice(0, MAX_ITEMS)
    .map(([name, value]) => `${name}: ${plain(value)}`)
    .join('; ');
}

/** A text as it is, a list with commas, anything else as JSON. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map(asText).join(', ');
  return asText(value);
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value);
  } catch {
    // JSON can be read at any depth, but not written.
    return '…';
  }
}

function stripHtml(text: string): string {
  const page = text.slice(0, MAX_HTML);
  const title = /<title[^<>]*>([^<]*)/i.exec(page)?.[1]?.trim();
  if (title) return title;
  return page.replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, ' ').replace(/<[^<>]*>/g, ' ');
}

function readable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const line = text.replace(/[\s\u0000-\u001f\u007f]+/g, ' ').trim();
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line;
}
