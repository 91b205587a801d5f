import { waitFor } from '@cds/testing';
import { type Browser, findChromium, openBrowser } from '@cds/testing/browser';
import type { NodeHook } from '@cds/wire';
import type { Page } from 'playwright-core';
import { push, refsOf } from '../../../test/deliveries';
import { repositoryHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import { pathOf, UI } from './paths';
import { PASSWORD } from './ui-client.fixture';

const chromium = findChromium();

if (chromium === undefined)
  it.skip('in a browser: skipped: there is no chromium or google-chrome on PATH', () => undefined);
else
  describe('the pages for operators in a browser', () => {
    const context = useTestContext({ keepBetweenTests: true });
    let browser: Browser;
    let page: Page;
    let hooks: RunningHooks;
    let hook: NodeHook;
    let isRefused = true;
    const problems: string[] = [];

    beforeAll(async () => {
      context.api.behave = ({ url }) =>
        isRefused && url.endsWith('/runs')
          ? { refuse: 404, id: 92, message: 'no such workflow' }
          : 'ok';
      hooks = await context.start({ retryError: 1, ui: { password: PASSWORD, cdsUrl: undefined } });
      hook = repositoryHook({ repoFullName: 'acme/web-shop', workflow: 'build' });
      await post(hooks, hook);
      await push(hooks, hook, { push: 'feature/<b>bold</b>' });
      await waitFor(async () => (await hooks.executions(hook.uuid))[0]?.status === 'DONE');
      browser = await openBrowser(chromium);
      page = await browser.context.newPage();
      // A busy machine starts a browser slowly.
      page.setDefaultTimeout(60_000);
      page.on('console', (message) => {
        if (message.type() === 'error' && !/ 401 /.test(message.text()))
          problems.push(message.text());
      });
      page.on('pageerror', (error) => problems.push(error.message));
    });
    afterAll(() => browser?.close());
    afterEach(() => expect(problems).toEqual([]));

    const heading = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor();

    /** Presses Tab until the element of this role and name has the focus, and shows it. */
    async function tabTo(role: 'button' | 'link' | 'textbox', name: string): Promise<void> {
      const wanted = page.getByRole(role, { name, exact: true }).first();
      for (let i = 0; i < 60; i++) {
        if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) {
          const outline = await wanted.evaluate(
            (element) => element.ownerDocument.defaultView?.getComputedStyle(element).outlineStyle,
          );
          expect([name, outline]).toEqual([name, 'solid']);
          return;
        }
        await page.keyboard.press('Tab');
      }
      throw new Error(`Tab never comes to ${role} ${name}`);
    }

    it('lead by keyboard alone from the login to why a push made no run, and to its retry', async () => {
      await page.goto(`${hooks.url}${UI}`);
      await heading('Sign in');
      await page.getByLabel('Password').fill('a wrong password');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').filter({ hasText: 'The password is wrong.' }).waitFor();
      expect(await page.locator(':focus').getAttribute('id')).toBe('password');
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');
      await heading('Overview');

      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').textContent()).toBe('Skip to the content');
      await page.keyboard.press('Enter');
      await tabTo('textbox', 'Repository or webhook');
      await page.keyboard.type('acme/web-shop');
      await page.keyboard.press('Enter');
      await heading('Why did this push make no run?');
      const row = page.getByRole('row').filter({ hasText: 'failed for good after 1 error(s)' });
      expect(await row.textContent()).toContain('no such workflow');
      expect(await row.textContent()).toContain('feature/<b>bold</b>');

      isRefused = false;
      await tabTo('button', 'Retry the push of feature/<b>bold</b>');
      await page.keyboard.press('Enter');
      await page.getByRole('status').filter({ hasText: 'was sent again' }).waitFor();
      await waitFor(() => refsOf(context, hook).includes('feature/<b>bold</b>'));
    });

    it('ask before what cannot be undone, and say what was done', async () => {
      isRefused = true;
      await push(hooks, hook, { push: 'doomed' });
      await waitFor(async () => {
        await page.goto(`${hooks.url}${pathOf('/dead-letters')}`);
        return (await page.getByRole('row').filter({ hasText: 'doomed' }).count()) === 1;
      });
      await page.getByRole('link', { name: 'Drop execution of PROJ/build doomed' }).click();
      await heading('Drop this dead letter?');
      await page.getByRole('button', { name: 'Drop', exact: true }).click();
      await page.getByRole('status').filter({ hasText: 'was dropped' }).waitFor();
      await page.getByText('There is none.').waitFor();
    });

    it.each(['light', 'dark'] as const)('can be read and told apart: %s', async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      for (const path of ['', '/why', '/hooks', '/dead-letters', '/cleanups', '/schedules']) {
        await page.goto(`${hooks.url}${pathOf(path)}`);
        expect(await page.locator('html').getAttribute('lang')).toBe('en');
        expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
        for (const landmark of ['main', 'banner', 'contentinfo'] as const)
          expect([landmark, await page.getByRole(landmark).count()]).toEqual([landmark, 1]);
        expect(await page.getByRole('navigation', { name: 'Pages' }).count()).toBe(1);
        const texts = await page.locator('main *, header *, footer').evaluateAll(contrasts);
        expect(texts.length).toBeGreaterThan(5);
        expect([path, texts.filter(({ contrast }) => contrast < 4.5)]).toEqual([path, []]);
      }
    });

    it('fit on a narrow screen', async () => {
      await page.setViewportSize({ width: 320, height: 640 });
      for (const path of ['', '/why?target=acme/web-shop', `/hooks/${hook.uuid}`, '/hooks']) {
        await page.goto(hooks.url + UI + path);
        const width = await page.locator('html').evaluate((element) => element.scrollWidth);
        expect([path, width]).toEqual([path, 320]);
      }
    });
  });

/** What the function below sees of the page's DOM. */
interface PageElement {
  ownerDocument: {
    defaultView: {
      getComputedStyle(of: PageElement): { color: string; backgroundColor: string };
    };
  };
  parentElement: PageElement | null;
  childNodes: Iterable<{ nodeType: number; textContent: string | null }>;
  textContent: string | null;
}

/** The contrast of each text with what is behind it, by WCAG 2. Runs in the page. */
function contrasts(elements: PageElement[]): { text: string; contrast: number }[] {
  const styleOf = (of: PageElement) => of.ownerDocument.defaultView.getComputedStyle(of);
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string): number => {
    const [r = 0, g = 0, b = 0] = channels(color).map((value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (of: PageElement | null): string => {
    if (!of) return 'rgb(255, 255, 255)';
    const { backgroundColor } = styleOf(of);
    return channels(backgroundColor)[3] === 0 ? behind(of.parentElement) : backgroundColor;
  };
  return elements
    .filter((element) =>
      [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim()),
    )
    .map((element) => {
      const [ink, paper] = [luminance(styleOf(element).color), luminance(behind(element))];
      const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
      return { text: (element.textContent ?? '').trim().slice(0, 60), contrast };
    });
}
