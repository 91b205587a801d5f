import { html } from './html';
import type { Page } from './layout';
import { pathOf } from './paths';

/** @param of.next where to go then; "" for the first page */
export function loginPage({ next, error }: { next: string; error?: string | undefined }): Page {
  const isWrong = error !== undefined;
  return {
    title: 'Sign in',
    body: html` ${isWrong && html`<p class="note bad" role="alert" id="error">${error}</p>`}
      <form method="post" action="${pathOf('/login')}" class="search" aria-label="Sign in">
        <input type="hidden" name="next" value="${next}" />
        <div>
          <label for="password">Password</label>
          <input
            id="password"
            name="password"
            type="password"
            autocomplete="current-password"
            required
            autofocus${isWrong && html` aria-invalid="true" aria-describedby="error"`}
          />
        </div>
        <div><button>Sign in</button></div>
      </form>
      <p class="quiet">It is <code>password</code> of <code>[hooks.ui]</code>.</p>
      ${next !== '' && html`<p><a href="${next}">Signed in already? Go on</a></p>`}`,
  };
}
