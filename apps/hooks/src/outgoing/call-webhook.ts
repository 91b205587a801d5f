import { createBudget, interpolate, InterpolateError } from '@cds/interpolate';
import type { WebHookExecution } from '@cds/wire';
import {
  CallFailedError,
  type CallBounds,
  type createCallTarget,
  type Dump,
  type TargetAnswer,
  type TargetRequest,
} from './call-target';
import { type CallHook, type HookCallOutcome, nodeOf } from './hook-call';
import { createMasking, type Masking, type Secret } from './mask-secrets';
import { type Variables, variablesOf } from './variables';

export interface CallWebhookDeps {
  callTarget: ReturnType<typeof createCallTarget>;
  bounds: CallBounds;
  nowIso: () => string;
}

/** An error's sentence is bounded by itself; what a target sends is not shown in it. */
const LONGEST_MESSAGE = 1_000;

/**
 * Outgoing webhooks: fills the variables of the run in, calls the target, and tells what was sent and answered, secrets
 * masked.
 */
export function createCallWebhook(deps: CallWebhookDeps): CallHook {
  const { callTarget, bounds, nowIso } = deps;

  return async function callWebhook(call): Promise<HookCallOutcome> {
    const details = await call.ask((api) => api.outgoingHookDetails(call.ref));
    const variables = variablesOf(call.parameters, details);
    const { execution, start } = call;
    let masking = createMasking(variables.secrets);
    try {
      if (!execution.webhook) throw new CallFailedError('the execution holds no request', true);
      const request = fillIn(execution.webhook, variables, bounds.maxRequestBytes);
      masking = createMasking([...variables.secrets, ...credentialsOf(request)]);
      const answer = await callTarget(request, call.signal);
      const log = logOf(answer, masking);
      if (answer.status >= 400) {
        return { kind: 'failed', message: `HTTP Status ${answer.status}`, final: false, log };
      }
      return {
        kind: 'over',
        callback: {
          workflow_node_outgoing_hook_id: nodeOf(execution),
          start,
          done: nowIso(),
          status: 'Success',
          log,
          workflow_run_number: null,
        },
      };
    } catch (error) {
      if (!(error instanceof CallFailedError) && !(error instanceof InterpolateError)) throw error;
      const message = masking.mask(error.message).slice(0, LONGEST_MESSAGE);
      return { kind: 'failed', message, final: error instanceof InterpolateError || error.final };
    }
  };
}

/**
 * Method, URL, headers and body share one budget: a request of many small expressions costs no more than one.
 *
 * @throws InterpolateError
 */
function fillIn(
  webhook: WebHookExecution,
  { values }: Variables,
  maxRequestBytes: number,
): TargetRequest {
  const budget = createBudget();
  const fill = (text: string, limit = 65_536): string =>
    interpolate(text, values, { limit, budget });
  const headers = Object.entries(webhook.request_header).map(([name, given]) => {
    const value = fill(given.join(', '));
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new InterpolateError(`the header ${name} would hold what no header can`);
    }
    return [name, value];
  });
  return {
    method: fill(webhook.request_method),
    url: fill(webhook.request_url),
    headers: Object.fromEntries(headers) as Record<string, string>,
    // A character has one byte or more: what is longer than this is refused in any case.
    body: fill(Buffer.from(webhook.request_body, 'base64').toString(), maxRequestBytes + 1),
  };
}

/** What identifies the caller, also where it is no variable of CDS: in a header, or in the URL. */
function credentialsOf({ headers, url }: TargetRequest): Secret[] {
  const secrets: Secret[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (!/^(proxy-)?authorization$/i.test(name)) continue;
    secrets.push({ name: 'Authorization', value });
    const credentials = value.slice(value.indexOf(' ') + 1);
    if (credentials !== value) secrets.push({ name: 'Authorization', value: credentials });
  }
  if (!URL.canParse(url)) return secrets;
  const { username, password } = new URL(url);
  if (username === '' && password === '') return secrets;
  const plain = [username, password].map(decoded);
  const basic = Buffer.from(plain.join(':')).toString('base64');
  const name = 'Authorization';
  return [
    ...secrets,
    { name, value: basic },
    ...(password === ''
      ? []
      : [
          { name, value: password },
          { name, value: plain[1] ?? '' },
        ]),
  ].filter(({ value }) => value !== '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** In the form that CDS gives it. */
function logOf({ request, response }: TargetAnswer, masking: Masking): string {
  const show = ({ head, body, isCut }: Dump): string =>
    masking.mask(head) +
    (isCut ? `${masking.maskCut(body)}\n… (cut off here)` : masking.mask(body));
  return `Request:\n${show(request)}\n\nResponse:\n${show(response)}`;
}
