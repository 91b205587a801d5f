import { isUtf8 } from 'node:buffer';
import type { StoredExecution } from './execution';
import { checkExecution } from './unreadable/check-execution';
import { parseJson } from './unreadable/read-config';

/** The body of a request: text as it came, or bytes that are no text. */
export type KeptBody = string | Buffer;

/** An execution in Redis: JSON in the field of its id, the request body in {@link bodyField}. */
interface WrittenExecution {
  json: string;
  /** "" where the JSON has it. A string, which takes half the time of a Buffer to send. */
  body: string;
}

/** Field of a request body, in the hash of the hook's executions. Scripts build it, too. */
export function bodyField(id: string): string {
  return `${id}:body`;
}

/**
 * Writes an execution. A body of text stays as it came: base64 in JSON would be a third longer, and
 * escaped and searched each time; and no script has to copy it.
 * @param content all but what the storing script fills in
 * @param body of the request; `content.webhook.request_body` holds it where it is not given
 */
export function writeExecution(content: Partial<StoredExecution>, body?: Buffer): WrittenExecution {
  const { webhook } = content;
  if (!body || !webhook) return { json: JSON.stringify(content), body: '' };
  if (isUtf8(body)) return { json: JSON.stringify(content), body: body.toString() };
  const request_body = body.toString('base64');
  return { json: JSON.stringify({ ...content, webhook: { ...webhook, request_body } }), body: '' };
}

/**
 * Reads what {@link writeExecution} wrote, without base64.
 * @returns `body`: of the request, as it came; `request_body` does not hold it then
 * @throws UnreadableExecutionError for what is no execution
 */
export function readWithBody(
  json: string,
  body: string | null | undefined,
): { execution: StoredExecution; body: KeptBody } {
  const execution = checkExecution(parseJson(json));
  return { execution, body: body || Buffer.from(execution.webhook?.request_body ?? '', 'base64') };
}

/**
 * Reads what {@link writeExecution} wrote, with the body in base64 as in CDS.
 * @throws UnreadableExecutionError for what is no execution
 */
export function readExecution(json: string, body: string | null | undefined): StoredExecution {
  const { execution, body: kept } = readWithBody(json, body);
  if (!execution.webhook) return execution;
  const request_body = Buffer.from(kept as string).toString('base64');
  return { ...execution, webhook: { ...execution.webhook, request_body } };
}

/** The fields of executions for HMGET: for each its own, then that of its body. */
export function fieldsOf(ids: readonly string[]): string[] {
  return ids.flatMap((id) => [id, bodyField(id)]);
}
