import { createHash } from 'node:crypto';
import type { Response } from 'express';

const MEANINGS: Record<string, string> = {
  account: 'Read your account information',
  email: 'Read your e-mail addresses',
  pullrequest: 'Read your repositories and their pull requests',
  'pullrequest:write': 'Read and modify your repositories and their pull requests',
  repository: 'Read your repositories',
  'repository:admin': 'Administer your repositories',
  'repository:write': 'Read and modify your repositories',
  webhook: 'Read and modify your repositories’ webhooks',
};

const STYLE = `
:root { color-scheme: light dark; --ground: #f4f5f7; --card: #fff; --text: #172b4d; --dim: #505f79; --line: #dfe1e6; --blue: #0052cc; --on-blue: #fff }
@media (prefers-color-scheme: dark) { :root { --ground: #161a1d; --card: #22272b; --text: #dee4ea; --dim: #9fadbc; --line: #454f59; --blue: #85b8ff; --on-blue: #161a1d } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 27rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px }
h1 { font-size: 1.25rem; line-height: 1.3; margin: .25rem 0 1rem }
p { margin: 0 0 1rem } ul { margin: 0 0 1.5rem; padding: 0; list-style: none; border-top: 1px solid var(--line) }
li { padding: .6rem 0; border-bottom: 1px solid var(--line) } small, code { color: var(--dim); font-size: .8rem } code { display: block }
form { display: flex; flex-wrap: wrap; gap: .75rem }
button { font: inherit; font-weight: 600; padding: .5rem 1rem; border-radius: 4px; border: 1px solid var(--line); background: none; color: inherit; cursor: pointer }
button[value=allow] { background: var(--blue); border-color: var(--blue); color: var(--on-blue) }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px }`;

/**
 * The page holds nothing but text and this one style. A form-action would forbid the way back to
 * CDS.
 */
const POLICY = `default-src 'none'; frame-ancestors 'none'; base-uri 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Asks the user whether CDS may have access, and shows what for. */
export function sendConsentPage(
  response: Response,
  asked: { user: string; scopes: string[]; state: string },
): void {
  const items = asked.scopes.map(
    (scope) => `<li>${escaped(MEANINGS[scope] ?? scope)}<code>${escaped(scope)}</code></li>`,
  );
  send(
    response,
    200,
    'Confirm access to your account',
    `<small>Bitbucket (stand-in) · signed in as ${escaped(asked.user)}</small>
<h1>CDS asks for access to your account</h1>
<p>It will be able to:</p>
<ul>${items.join('')}</ul>
<form method="post" action="authorize"><input type="hidden" name="state" value="${escaped(asked.state)}">
<button name="answer" value="allow">Grant access</button>
<button name="answer" value="deny">Cancel</button></form>`,
  );
}

/** Says what is wrong with a request that no user can put right. */
export function sendBadRequest(response: Response, problem: string): void {
  send(response, 400, 'Bad request', `<h1>Bad request</h1><p>${escaped(problem)}</p>`);
}

function send(response: Response, status: number, title: string, body: string): void {
  response.status(status).set('Content-Security-Policy', POLICY).type('html')
    .send(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} · Bitbucket (stand-in)</title><style>${STYLE}</style></head>
<body><main>${body}</main></body></html>`);
}
