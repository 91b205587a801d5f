import type { TaskExecution } from '@cds/wire';
import { isSecret } from './describe-hook';
import { html, type Part } from './html';
import { table } from './layout';
import { prettyJson } from './pretty-json';

/** Characters of a body that are shown. */
const MAX_SHOWN = 65_536;
const MAX_HEADERS = 200;

/** What an execution received or sends, without the values of what may be secret. */
export function payloadOf(execution: TaskExecution): Part {
  const { webhook, rabbitmq, poll, scheduled_task: scheduled } = execution;
  return [
    webhook && requestOf(webhook),
    rabbitmq && bodyOf(rabbitmq.message, 'Message'),
    poll &&
      html`<p>
        A poll found it: ${poll.kind} of <code>${poll.ref}</code> at <code>${poll.hash}</code>.
      </p>`,
    scheduled && html`<p>Scheduled for ${scheduled.date_scheduled_execution}.</p>`,
    !webhook && !rabbitmq && !poll && !scheduled && html`<p>Nothing is stored of it.</p>`,
  ];
}

function requestOf(webhook: NonNullable<TaskExecution['webhook']>): Part {
  const { request_header: headers, request_url: query, request_method: method } = webhook;
  const rows = Object.entries(headers)
    .slice(0, MAX_HEADERS)
    .map(([name, values]) => [name, isSecret(name) ? '(hidden)' : values.join(', ')]);
  return [
    method !== '' && html`<p>Method: ${method}</p>`,
    query !== '' && html`<p>Query: <code>${withoutSecrets(query)}</code></p>`,
    table({
      caption: 'Headers',
      columns: ['Name', 'Value'],
      rows,
      none: 'No header is stored.',
    }),
    bodyOf(webhook.request_body, 'Body'),
  ];
}

/** @param base64 as CDS writes bodies */
function bodyOf(base64: string, name: string): Part {
  if (base64 === '')
    return html`<h3>${name}</h3>
      <p>It is empty.</p>`;
  const body = Buffer.from(base64, 'base64').toString('utf8');
  const { text, isWhole } = /^\s{0,100}[[{]/.test(body)
    ? prettyJson(body, MAX_SHOWN)
    : { text: body.slice(0, MAX_SHOWN), isWhole: body.length <= MAX_SHOWN };
  return html`<h3>${name}</h3>
    <pre tabindex="0" role="region" aria-label="${name}"><code>${text}</code></pre>
    ${!isWhole && html`<p>It goes on: it has ${body.length} characters.</p>`}`;
}

/** A query string without the values of what may be secret. */
function withoutSecrets(query: string): string {
  return query
    .split('&')
    .map((pair) => {
      const [name = ''] = new URLSearchParams(pair).keys();
      return isSecret(name) ? `${name}=(hidden)` : pair;
    })
    .join('&');
}
