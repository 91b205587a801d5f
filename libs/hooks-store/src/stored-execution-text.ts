import { isUtf8 } from 'node:buffer';
import type { StoredExecution } from './execution';
import { checkExecution } from './unreadable/check-execution';
import { parseJson } from './unreadable/read-config';

/** The body of a request: text as it came, or bytes that are no text. */
export type KeptBody = string | Buffer;

/**
 * An execution as Redis has it: JSON in the field of its id, and beside it, in {@link bodyField},
 * the body of its request.
 */
export interface WrittenExecution {
  json: string;
  /**
   * Empty where there is none, or where it stands in the JSON. As text, of which a command is made
   * in half the time.
   */
  body: string;
}

/** In versions before, the body stood below the JSON. */
const LINE_BREAK = '\n';

/**
 * Of the execution's body, in the hash of the hook's executions. Scripts make it of the id, too.
 */
export function bodyField(id: string): string {
  return `${id}:body`;
}

/**
 * What is kept of an execution. A body of text is kept as it came: in base64 within the JSON it
 * would be a third longer, and escaped and searched for each time; and no script has to copy it.
 *
 * @param content all but what the script that keeps it fills in
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
 * What {@link writeExecution} wrote, without the detour over base64.
 *
 * @returns `body`: of the request, as it came; `request_body` does not hold it then
 * @throws UnreadableExecutionError for what is no execution
 */
export function readWithBody(
  json: string,
  body: string | null | undefined,
): { execution: StoredExecution; body: KeptBody } {
  if (body) return { execution: parse(json), body };
  const end = json.indexOf(LINE_BREAK);
  if (end >= 0) {
    const execution = parse(json.slice(0, end));
    return { execution, body: json.slice(end + 1) };
  }
  const execution = parse(json);
  return { execution, body: Buffer.from(execution.webhook?.request_body ?? '', 'base64') };
}

function parse(json: string): StoredExecution {
  return checkExecution(parseJson(json));
}

/**
 * The execution that {@link writeExecution} wrote, its body in base64 as CDS has it.
 *
 * @throws UnreadableExecutionError for what is no execution
 */
export function readExecution(json: string, body: string | null | undefined): StoredExecution {
  const { execution, body: kept } = readWithBody(json, body);
  if (!execution.webhook) return execution;
  const request_body = Buffer.from(kept as string).toString('base64');
  return { ...execution, webhook: { ...execution.webhook, request_body } };
}

/** The fields to ask for with HMGET: of each execution its own, then that of its body. */
export function fieldsOf(ids: readonly string[]): string[] {
  return ids.flatMap((id) => [id, bodyField(id)]);
}
