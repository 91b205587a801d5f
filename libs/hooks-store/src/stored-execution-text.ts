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

/**
 * What {@link writeExecution} wrote, without the detour over base64.
 *
 * @returns `body`: of the request, as it came; `request_body` does not hold it then
 */
export function readWithBody(text: string): { execution: StoredExecution; body: Buffer } {
  const end = text.indexOf(LINE_BREAK);
  if (end >= 0) {
    const execution = JSON.parse(text.slice(0, end)) as StoredExecution;
    return { execution, body: Buffer.from(text.slice(end + 1)) };
  }
  const execution = JSON.parse(text) as StoredExecution;
  return { execution, body: Buffer.from(execution.webhook?.request_body ?? '', 'base64') };
}

/** The execution that {@link writeExecution} wrote, its body in base64 as CDS has it. */
export function readExecution(text: string): StoredExecution {
  const { execution, body } = readWithBody(text);
  if (!execution.webhook) return execution;
  return { ...execution, webhook: { ...execution.webhook, request_body: body.toString('base64') } };
}
