import { isUtf8 } from 'node:buffer';
import type { StoredExecution } from './execution';

/** JSON as `JSON.stringify` writes it holds no line break of its own. */
const LINE_BREAK = '\n';

/**
 * What is kept of an execution: a line of JSON, and below it the body of its request as it came, where that is text. In
 * base64 within the JSON it would be a third longer, and escaped and searched for each time.
 *
 * @param content all but what the script that keeps it fills in
 * @param body of the request; `content.webhook.request_body` holds it where it is not given
 */
export function writeExecution(content: Partial<StoredExecution>, body?: Buffer): Buffer | string {
  const { webhook } = content;
  if (!body || !webhook) return JSON.stringify(content);
  if (!isUtf8(body)) {
    const request_body = body.toString('base64');
    return JSON.stringify({ ...content, webhook: { ...webhook, request_body } });
  }
  return Buffer.concat([Buffer.from(JSON.stringify(content) + LINE_BREAK), body]);
}

/** The execution that {@link writeExecution} wrote, its body in base64 as everywhere else. */
export function readExecution(text: string): StoredExecution {
  const end = text.indexOf(LINE_BREAK);
  if (end < 0) return JSON.parse(text) as StoredExecution;
  const stored = JSON.parse(text.slice(0, end)) as StoredExecution;
  const request_body = Buffer.from(text.slice(end + 1)).toString('base64');
  return stored.webhook ? { ...stored, webhook: { ...stored.webhook, request_body } } : stored;
}
