import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { startProcess, waitFor, type RunningProcess } from '@cds/testing';
import { findChromium, openBrowser, screenshotFolder, type Browser } from '@cds/testing/browser';
import type { Page as BrowserPage } from 'playwright-core';
import { findRoot } from '../story/find-root';

const root = findRoot(__dirname);
const chromium = findChromium();

if (!chromium)
  it.skip('in a browser: skipped: there is no chromium, chromium-browser or google-chrome on PATH', () =>
    undefined);
else
  describe('the page in a browser, served by what npm start starts', () => {
    let sandbox: RunningProcess;
    let browser: Browser;
    let page: BrowserPage;
    let address: string;
    const problems: string[] = [];
    const shots = screenshotFolder(root);

    beforeAll(async () => {
      sandbox = await startProcess({
        command: process.execPath,
        // Where a user links the project, and hooks removes the runs of a branch.
        args: [join(root, 'dist/tools/sandbox/main.js'), '--free-ports', '--cds', '0.41'],
        env: { PATH: process.env['PATH'] },
        cwd: root,
      });
      [, address = ''] = await sandbox.waitForOutput(/Open (http:\S+) to see it all/);
      browser = await openBrowser(chromium);
      page = await browser.context.newPage();
      page.setDefaultTimeout(20_000);
      page.on('console', (message) => {
        const status = /status of (400|403)/.test(message.text());
        if (message.type() === 'error' && !status) problems.push(message.text());
      });
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(address);
    });
    afterAll(async () => {
      await browser?.close();
      sandbox?.kill('SIGTERM');
      await sandbox?.exited;
    });
    afterEach(() => expect(problems).toEqual([]));

    const said = (text: string) => page.locator('#result', { hasText: text }).waitFor();
    const done = (step: string) => page.locator(`[data-step=${step}].done`).waitFor();
    const seen = (selector: string, text: string | RegExp) =>
      page.locator(selector, { hasText: text }).first().waitFor();
    const click = (name: string, within = 'body') =>
      page.locator(within).getByRole('button', { name, exact: true }).first().click();
    const count = (selector: string) => page.locator(selector).count();
    const runs = '#projects [aria-label="Project DEMO"] .workflow > p';

    /** Runs what is shown beside a button, as a person pastes it. */
    async function paste(name: string, within: string): Promise<Record<string, unknown>> {
      const line = await page
        .locator(within)
        .getByLabel(`${name}, as a line of curl`, { exact: true })
        .textContent();
      const answer = execFileSync('sh', ['-c', `${line ?? ''} -s`], { encoding: 'utf8' });
      return JSON.parse(answer) as Record<string, unknown>;
    }

    it('leads through the whole way in six steps, with the keyboard', async () => {
      const press = async (name: string, within = '#guide'): Promise<void> => {
        await page.locator(within).getByRole('button', { name, exact: true }).focus();
        await page.keyboard.press('Enter');
      };
      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').textContent()).toContain('Skip to');

      await press('Link DEMO to Bitbucket');
      await page.getByRole('button', { name: 'Cancel' }).click();
      await said('DEMO was not linked: access was not granted');
      expect(await count('[data-step=link].done')).toBe(0);

      await press('Link DEMO to Bitbucket');
      await page.getByText('CDS asks for access to your account').waitFor();
      await page.screenshot({ path: join(shots, 'consent.png') });
      await page.getByRole('button', { name: 'Grant access' }).click();
      await said('DEMO is linked');
      await done('link');

      await press('Create workflow demo');
      await done('workflow');
      await press('Push to my-branch');
      await said('hooks answered 200');
      await seen('#guide-run', 'my-branch: Success. On the commit: SUCCESSFUL');
      await done('status');

      await press('Delete my-branch');
      const first = await page.locator('#guide-cleanup .countdown').textContent();
      expect(first).toMatch(/^in (1 min|\d+ s)/);
      await waitFor(
        async () => (await page.locator('#guide-cleanup .countdown').textContent()) !== first,
      );
      await page.screenshot({ path: join(shots, 'light.png'), fullPage: true });
      await press('Let the time of my-branch pass');
      await seen('#guide-cleanup', 'runs removed: 1');
      await done('removed');

      await press('Send it unsigned');
      await seen('#guide-forged', 'hooks answered 401: refused, and no run');
      await done('forged');
      expect(await count('#guide li.done')).toBe(6);
      await seen('#feed', 'forged, without a signature');
    });

    it('is led through with the CDS of today by the lines of curl alone, pasted in their order', async () => {
      const other = await startProcess({
        command: process.execPath,
        args: [join(root, 'dist/tools/sandbox/main.js'), '--free-ports'],
        env: { PATH: process.env['PATH'] },
        cwd: root,
      });
      const tab = await browser.context.newPage();
      try {
        const [, at = ''] = await other.waitForOutput(/Open (http:\S+) to see it all/);
        await tab.goto(at);
        const steps = ['link', 'workflow', 'push', 'status', 'removed', 'forged'];
        for (const step of steps) {
          const codes = tab.locator(`[data-step=${step}] code`);
          const run = async (line: string | null) =>
            execFileSync('sh', ['-c', `${line ?? ''} -sf`], { encoding: 'utf8' });
          expect(JSON.parse(await run(await codes.first().textContent()))).toEqual(
            expect.any(Object),
          );
          // The removal has a line of its own once it is pending.
          if (step === 'removed') {
            await codes.nth(1).waitFor({ timeout: 60_000 });
            await run(await codes.nth(1).textContent());
          }
          await tab.locator(`[data-step=${step}].done`).waitFor({ timeout: 60_000 });
        }
      } finally {
        await tab.close();
        other.kill('SIGTERM');
        await other.exited;
      }
    });

    it('makes trouble, and shows what the services do with it', async () => {
      await click('Push a commit', '#bitbucket');
      await seen('#projects', '#2 of my-branch');
      await seen('#projects .chip', 'Success');
      await click('Resend the last', '#bitbucket');
      await seen('#deliveries', 'sent again');
      await seen(runs, 'runs: 1');

      await click('Take the API away', '#cds');
      await page.locator('#api-away').waitFor();
      await click('Force-push', '#bitbucket');
      await said('hooks answered 200');
      await seen(runs, 'runs: 1');
      await click('Bring it back', '#cds');
      await page.locator('#api-away').waitFor({ state: 'hidden' });
      await seen(runs, 'runs: 2');

      await click('Delete branch', '#bitbucket');
      await page.locator('#cleanups .countdown').waitFor();
      await click('Push a commit', '#bitbucket');
      await page.locator('#cleanups li').waitFor({ state: 'detached' });
      await seen(runs, 'runs: 3');

      await click('Open pull request', '#bitbucket');
      await seen('#pull-requests', 'my-branch → master');
      await click('Push a tag', '#bitbucket');
      await seen('#projects', '#5 of v1.0');

      await click('Answer 429', '#bitbucket');
      await page.locator('#rate-limit').waitFor();
      await click('Push a commit', '#bitbucket');
      await seen('#feed .call', /vcs → Bitbucket.*429/s);
      await click('No more 429', '#bitbucket');
      await page.locator('#rate-limit').waitFor({ state: 'hidden' });

      await click('Revoke the grants', '#bitbucket');
      await seen('[aria-label="Project DEMO"]', 'grant revoked: link again');
      await click('Sign one wrongly', '#bitbucket');
      await seen('#forgeries', 'wrongly signed');
      await click('Delete tag', '#bitbucket');
      await click('Delete tag', '#bitbucket');
      await said('No such tag: v1.0');
    });

    it('shows lines of curl that do in a shell what the buttons do, whatever stands in the fields', async () => {
      const branch = `it's $HOME "new"; \`x\` \\ é`;
      await page.locator('#bb-branch').fill(branch);
      const pushed = await paste('Push a commit', '#bitbucket');
      expect(pushed).toMatchObject({ hash: expect.stringMatching(/^[0-9a-f]{40}$/) as string });
      await seen('#refs', branch);
      await seen('#feed .action', branch);
      // Live data came in, and what was typed has stayed.
      expect(await page.locator('#bb-branch').inputValue()).toBe(branch);
      expect(await paste('Resend the last', '#bitbucket')).toMatchObject({ event: 'repo:push' });
      expect(await paste('Send one unsigned', '#bitbucket')).toMatchObject({ status: 401 });
      expect(await paste('Delete branch', '#bitbucket')).toMatchObject({ hash: pushed['hash'] });
    });

    it('fits a telephone, and the dark', async () => {
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.screenshot({ path: join(shots, 'dark.png'), fullPage: true });
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 360, height: 800 });
      await page.screenshot({ path: join(shots, 'narrow.png'), fullPage: true });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    });
  });
