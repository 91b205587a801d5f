import type { ActionName } from './actions';
import { html, type Html } from './html';
import { tokenField } from './layout';
import { pathOf } from './paths';

/** What an action is about. */
export interface ActionTarget {
  uuid?: string | undefined;
  /** Of an execution, in nanoseconds. */
  timestamp?: string | number | undefined;
}

/** A link to the page that asks whether to do it. */
export function actionLink(
  name: ActionName,
  { uuid, timestamp }: ActionTarget,
  text: string,
  about?: string,
): Html {
  const href = pathOf(`/confirm/${name}`, { uuid, timestamp });
  return html`<a href="${href}" ${about !== undefined && html` aria-label="${text} ${about}"`}
    >${text}</a
  >`;
}

/** A button that does it. @param about what of several, for who does not see the row */
export function actionButton(
  name: ActionName,
  { uuid, timestamp }: ActionTarget,
  of: { text: string; formToken: string; about?: string; style?: 'quiet' | 'bad' },
): Html {
  const { text, formToken, about, style = '' } = of;
  const field = (field: string, value: string | number | undefined) =>
    value !== undefined && html`<input type="hidden" name="${field}" value="${value}" />`;
  return html`<form method="post" action="${pathOf(`/do/${name}`)}">
    ${tokenField(formToken)}${field('uuid', uuid)}${field('timestamp', timestamp)}
    <button class="${style}" ${about !== undefined && html`aria-label="${text} ${about}"`}>
      ${text}
    </button>
  </form>`;
}
