import { type ActionName, ACTIONS } from './actions';
import { html, type Html } from './html';
import { tokenField } from './layout';
import { pathOf } from './paths';

/** What an action is about. */
export interface ActionTarget {
  uuid?: string | undefined;
  /** Of an execution, in nanoseconds. */
  timestamp?: string | number | undefined;
}

/**
 * A link to the page that asks whether to do it.
 *
 * @param about what of several, for who does not see the row
 */
export function actionLink(
  name: ActionName,
  { uuid, timestamp }: ActionTarget,
  about?: string,
  text = ACTIONS[name].label,
): Html {
  const href = pathOf(`/confirm/${name}`, { uuid, timestamp });
  return html`<a href="${href}" ${about !== undefined && html` aria-label="${text} ${about}"`}
    >${text}</a
  >`;
}

/** A button that does it. */
export function actionButton(
  name: ActionName,
  { uuid, timestamp }: ActionTarget,
  { formToken, about, isBad }: { formToken: string; about?: string; isBad?: boolean | undefined },
): Html {
  const { label } = ACTIONS[name];
  const field = (field: string, value: string | number | undefined) =>
    value !== undefined && html`<input type="hidden" name="${field}" value="${value}" />`;
  return html`<form method="post" action="${pathOf(`/do/${name}`)}">
    ${tokenField(formToken)}${field('uuid', uuid)}${field('timestamp', timestamp)}
    <button
      class="${isBad && 'bad'}"
      ${about !== undefined && html`aria-label="${label} ${about}"`}
    >
      ${label}
    </button>
  </form>`;
}
