import { html, type Html, type Part } from './html';
import { PAGE } from './page-deps';
import { pathOf, UI } from './paths';

const SECTIONS = [
  ['Overview', ''],
  ['Why no run?', '/why'],
  ['Hooks', '/hooks'],
  ['Dead letters', '/dead-letters'],
  ['Cleanups', '/cleanups'],
  ['Schedules', '/schedules'],
] as const;
export type SectionName = (typeof SECTIONS)[number][0];

export interface Page {
  /** Of the page, and its heading. */
  title: string;
  /** Where it is in the navigation. */
  section?: SectionName;
  /** What an action did, above the page. */
  said?: string | undefined;
  body: Part;
}

/** A whole document. @param of.formToken of the session; without one nobody is signed in */
export function layout(page: Page, of: { formToken?: string | undefined; service: string }): Html {
  const { title, said, body } = page;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} &ndash; ${of.service}</title>
        <link rel="stylesheet" href="${UI}/style.css" />
        <link rel="icon" href="data:," />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        ${of.formToken !== undefined && navigation(page.section, of.formToken)}
        <main id="main" tabindex="-1">
          <h1>${title}</h1>
          ${said !== undefined && html`<p class="note" role="status">${said}</p>`} ${body}
        </main>
        <footer>
          ${of.service}, ${new Date().toISOString().slice(0, 19).replace('T', ' ')} UTC. All times
          are UTC. Load the page again for the present state.
        </footer>
      </body>
    </html> `;
}

function navigation(section: SectionName | undefined, formToken: string): Html {
  return html`<header>
    <nav aria-label="Pages">
      <ul>
        ${SECTIONS.map(
          ([name, path]) =>
            html`<li>
              <a href="${pathOf(path)}" ${name === section && html` aria-current="page"`}
                >${name}</a
              >
            </li> `,
        )}
        <li>
          <form method="post" action="${pathOf('/logout')}">
            ${tokenField(formToken)}<button class="quiet">Sign out</button>
          </form>
        </li>
      </ul>
    </nav>
  </header>`;
}

/** In every form of a session. */
export function tokenField(formToken: string): Html {
  return html`<input type="hidden" name="token" value="${formToken}" />`;
}

/** A table that scrolls by itself on narrow screens. */
export function table(of: {
  caption: string;
  columns: readonly string[];
  rows: readonly (readonly Part[])[];
  /** In place of a table without rows. */
  none: string;
}): Html {
  if (of.rows.length === 0) return html`<p>${of.none}</p>`;
  return html`<div class="scroll" role="region" aria-label="${of.caption}" tabindex="0">
    <table>
      <caption>
        ${of.caption}
      </caption>
      <thead>
        <tr>
          ${of.columns.map((column) => html`<th scope="col">${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${of.rows.map(
          ([first, ...others]) =>
            html`<tr>
              <th scope="row">${first}</th>
              ${others.map((cell) => html`<td>${cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Names and values; without those that are empty. */
export function facts(of: readonly (readonly [name: string, value: Part])[]): Html {
  const given = of.filter(([, value]) => value !== '' && value !== undefined && value !== false);
  return html`<dl>
    ${given.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

/** Links to the lists that a page has. */
export function lists<T extends string>(of: {
  path: string;
  titles: Readonly<Record<T, string>>;
  current: T;
}): Html {
  return html`<nav aria-label="Lists" class="actions">
    ${Object.keys(of.titles).map(
      (list) =>
        html`<a
          href="${pathOf(of.path, { list })}"
          ${list === of.current && html`aria-current="page"`}
          >${of.titles[list as T]}</a
        >`,
    )}
  </nav>`;
}

/** Links to the pages before and after this one, where there are some. */
export function pager(links: readonly (readonly [text: string, href: string | undefined])[]): Part {
  const there = links.filter(([, href]) => href !== undefined);
  if (there.length === 0) return undefined;
  return html`<nav aria-label="More of this list" class="actions">
    ${there.map(([text, href]) => html`<a href="${href}">${text}</a>`)}
  </nav>`;
}

/** Links to the pages of a list that is counted from its beginning. */
export function offsetPager(
  at: (offset: number) => string,
  { offset, isMore }: { offset: number; isMore: boolean },
  [before, after] = ['Before', 'After'],
): Part {
  return pager([
    [before, offset > 0 ? at(Math.max(0, offset - PAGE)) : undefined],
    [after, isMore ? at(offset + PAGE) : undefined],
  ]);
}

/** A form that asks for a list or an answer. */
export function search(of: {
  path: string;
  label: string;
  button: string;
  fields: readonly { name: string; label: string; value: string; hint?: string; required?: true }[];
}): Html {
  return html`<form
    role="search"
    aria-label="${of.label}"
    class="search"
    method="get"
    action="${pathOf(of.path)}"
  >
    ${of.fields.map(
      ({ name, label, value, hint, required }) =>
        html`<div>
          <label for="${name}">${label}</label>
          <input
            id="${name}"
            name="${name}"
            value="${value}"
            maxlength="512"
            autocomplete="off"
            spellcheck="false"
            ${required && html` required`}${hint !== undefined && html` aria-describedby="${name}-hint"`}
          />
          ${hint !== undefined && html`<span class="quiet" id="${name}-hint">${hint}</span>`}
        </div>`,
    )}
    <div><button>${of.button}</button></div>
  </form>`;
}
