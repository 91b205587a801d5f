import { vcsKeys } from '@cds/redis';
import { captureLogger, waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { allDone, execution, push, refsOf } from '../../../test/deliveries';
import { plainHook, repositoryHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import { html } from './html';
import { MAX_WRONG } from './access';
import { executionPath, hookPath, pathOf, UI } from './paths';
import { prettyJson } from './pretty-json';
import { createSessions } from './sessions';
import { PASSWORD, uiClient } from './ui-client.fixture';

const PAGES = ['', '/hooks', '/dead-letters', '/cleanups', '/schedules', '/confirm/drop-all'];

describe('the pages for operators', () => {
  const context = useTestContext();
  let refused: Set<string>;

  beforeEach(() => {
    refused = new Set();
    context.api.behave = ({ body, url }) => {
      const run = (body as { hook?: { payload: Record<string, string> } } | null)?.hook;
      const branch = run?.payload['git.branch'] ?? decodeURIComponent(url.split('/').at(-1) ?? '');
      return refused.has(branch)
        ? { refuse: 404, id: 92, message: 'no <b>such</b> workflow' }
        : 'ok';
    };
  });

  const start = (change = {}, options = {}) =>
    context.start(
      { ui: { password: PASSWORD, cdsUrl: 'https://cds.example' }, ...change },
      options,
    );

  async function signedIn(change = {}) {
    const hooks = await start({ retryError: 1, ...change });
    const ui = uiClient(hooks.url);
    expect((await ui.logIn()).status).toBe(303);
    await hooks.synchronized();
    return { hooks, ui };
  }

  async function deadLetter(hooks: RunningHooks, branch: string): Promise<NodeHook> {
    refused.add(branch);
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { push: branch });
    await waitFor(async () => (await hooks.executions(hook.uuid))[0]?.status === 'DONE');
    return hook;
  }

  it('say why a push made no run, for what a person pastes', async () => {
    const { hooks, ui } = await signedIn();
    const hook = await deadLetter(hooks, 'bad');
    const hash = 'ab'.repeat(20);
    await push(hooks, hook, { push: 'good', hash });
    await hooks.webhook(hook.uuid, { headers: { 'X-Hub-Signature': 'sha256=0' }, body: '{}' });
    const why = (target: string, branch = '') => ui.get(pathOf('/why', { target, branch }));
    await waitFor(async () => (await why(hook.uuid)).text.includes('refused with 401'));
    await allDone(hooks, hook);
    for (const target of [
      ...['jdoe/repo-0', 'JDoe/Repo-0', 'https://bitbucket.org/jdoe/repo-0/branches/'],
      ...[hook.uuid, `https://hooks.example/webhook/${hook.uuid}`],
    ]) {
      const { text } = await why(target);
      for (const said of ['failed for good after 1 error(s)', 'refused with 401', 'good', 'run 1'])
        expect([target, said, text.includes(said)]).toEqual([target, said, true]);
      expect(text).toContain('href="https://cds.example/project/PROJ/workflow/wf1/run/1"');
    }
    const ofBad = (await why('jdoe/repo-0', 'bad')).text;
    expect(ofBad).toContain('aria-label="Retry the push of bad"');
    expect(ofBad).not.toContain('run/1');

    // What vcs sent, where it is in the same Redis; what cannot be read hides nothing else.
    const statuses = vcsKeys.statusesOfCommit('jdoe/repo-0', hash);
    const sent = { state: 'SUCCESSFUL', description: 'all <b>well</b>', number: 1, at: Date.now() };
    await context.redisClient.hset(statuses, 'key', JSON.stringify(sent));
    expect((await why(hook.uuid)).text).toContain('SUCCESSFUL, all &lt;b&gt;well&lt;/b&gt;');
    await context.redisClient.set(statuses, 'of another type');
    expect((await why(hook.uuid)).text).toContain('failed for good after 1 error(s)');

    await ui.post(pathOf('/do/pause'));
    await push(hooks, hook, { push: 'late' });
    expect((await why('jdoe/repo-0')).text).toContain('CDS is under maintenance');
    expect((await why('jdoe/other')).text).toContain('hooks knows no hook of jdoe/other');
    expect((await why('what?')).text).toContain('is no workspace/repository');
    const other = repositoryHook({ repoFullName: 'jdoe/quiet' });
    await post(hooks, other);
    expect((await why('jdoe/quiet')).text).toContain('Did Bitbucket send it?');
  });

  describe('without a password', () => {
    it('are not there', async () => {
      const hooks = await context.start();
      const headers = { X_AUTH_HEADER: Buffer.from('none').toString('base64') };
      for (const path of [UI, pathOf('/login'), pathOf('/style.css')]) {
        expect((await fetch(hooks.url + path)).status).toBe(401);
        expect((await fetch(hooks.url + path, { headers })).status).toBe(401);
      }
      expect((await hooks.call('GET', UI)).status).toBe(404);
    });
  });

  describe('their guard', () => {
    it('leads to the login, and shows nothing but that to anybody else', async () => {
      const hooks = await start();
      const ui = uiClient(hooks.url);
      for (const path of PAGES) {
        const { status, text, headers } = await ui.get(pathOf(path));
        expect([path, status, text]).toEqual([path, 303, '']);
        expect(headers.get('location')).toMatch(/^\/admin\/ui\/login/);
      }
      // Neither does the hash of the API open them.
      const hash = Buffer.from(context.api.hash()).toString('base64');
      expect((await ui.get(UI, { X_AUTH_HEADER: hash })).status).toBe(303);
      const forged = ['', 'x', `${Date.now() + 1e6}.abc.def`, createSessions('other').start()];
      for (const token of forged)
        expect((await ui.get(UI, { Cookie: `cdsbb_hooks_ui=${token}` })).status).toBe(303);
      // Each costs work: of many sessions that a stranger makes up, few are looked at.
      const cookies = [...Array<string>(50).fill('x'), createSessions(PASSWORD).start()];
      const sent = cookies.map((token) => `cdsbb_hooks_ui=${token}`);
      expect((await ui.get(UI, { Cookie: sent.slice(-2).join('; ') })).status).toBe(200);
      expect((await ui.get(UI, { Cookie: sent.join('; ') })).status).toBe(303);
      const { text } = await ui.get(pathOf('/login', { next: pathOf('/hooks', { q: 'a b' }) }));
      expect(text).toContain('name="next" value="/admin/ui/hooks?q=a+b"');
      for (const next of ['https://evil.example', '//evil.example', '/admin/ui/../../task', '/x'])
        expect((await ui.get(pathOf('/login', { next }))).text).toContain('name="next" value=""');
    });

    it('takes the password, and gives a cookie that no script and no other site has', async () => {
      const hooks = await start();
      const ui = uiClient(hooks.url);
      const { status, headers } = await ui.logIn();
      expect([status, headers.get('location')]).toEqual([303, UI]);
      const cookie = headers.get('set-cookie') ?? '';
      expect(cookie).toMatch(/; Path=\/admin\/ui; HttpOnly; SameSite=Strict$/);
      expect(cookie).not.toContain(PASSWORD);
      const secure = await uiClient(hooks.url).logIn(PASSWORD, {
        ...{ Origin: 'https://hooks.example', 'Sec-Fetch-Site': 'same-origin' },
      });
      expect(secure.headers.get('set-cookie')).toContain('; Secure');
      expect((await ui.get(UI)).status).toBe(200);

      expect((await ui.post(pathOf('/logout'))).headers.get('location')).toBe(pathOf('/login'));
      expect((await ui.get(UI)).status).toBe(303);
    });

    it('counts wrong passwords, and then refuses the right one, too', async () => {
      const { logger, lines } = captureLogger();
      const hooks = await start({}, { logger });
      const ui = uiClient(hooks.url);
      const wrong = ['', PASSWORD.slice(1), `${PASSWORD} `, PASSWORD.toLowerCase()];
      for (let i = 0; i < MAX_WRONG; i++) {
        const { status, text } = await ui.logIn(wrong[i % wrong.length] ?? '');
        expect([status, text.includes('The password is wrong.')]).toEqual([401, true]);
      }
      const limited = await ui.logIn();
      expect(limited.status).toBe(429);
      expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(ui.cookie()).toBe('');
      const said = lines.filter(({ msg }) => msg === 'login of an operator refused');
      expect(said.map((line) => line['wrong'])).toEqual([1, MAX_WRONG]);
      // Nor with a form that is refused before it is read.
      const fields = Array.from({ length: 30 }, (_, i) => [`field${i}`, 'x']);
      const many = { password: 'of-somebody', ...Object.fromEntries(fields) };
      expect((await ui.ask('POST', pathOf('/login'), many)).status).toBe(413);
      await waitFor(() => JSON.stringify(lines).includes('too many parameters'));
      for (const secret of [PASSWORD.slice(1), 'of-somebody'])
        expect(JSON.stringify(lines)).not.toContain(secret);
    });

    it('ends a session after eight hours, and with another password', () => {
      let now = Date.now();
      const sessions = createSessions(PASSWORD, () => now);
      const token = sessions.start();
      expect(sessions.isValid(token)).toBe(true);
      expect(createSessions(`${PASSWORD}!`, () => now).isValid(token)).toBe(false);
      const [end, ...rest] = token.split('.');
      expect(sessions.isValid([Number(end) + 1, ...rest].join('.'))).toBe(false);
      now += 8 * 3_600_000;
      expect(sessions.isValid(token)).toBe(false);
    });

    it('does nothing for forms of other pages and sessions', async () => {
      const { hooks, ui } = await signedIn();
      const other = uiClient(hooks.url);
      await other.logIn();
      const hook = repositoryHook();
      await post(hooks, hook);
      const token = /name="token" value="([^"]+)"/.exec((await other.get(UI)).text)?.[1] ?? '';
      const stop = pathOf('/do/stop');
      for (const form of [{}, { token: '' }, { token: 'x' }, { token }])
        expect((await ui.ask('POST', stop, { uuid: hook.uuid, ...form })).status).toBe(403);
      const own = /name="token" value="([^"]+)"/.exec((await ui.get(UI)).text)?.[1] ?? '';
      const form = { uuid: hook.uuid, token: own };
      for (const headers of [
        { Origin: 'https://evil.example' },
        { Origin: 'null' },
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site', Origin: hooks.url },
      ] as Record<string, string>[]) {
        expect((await ui.ask('POST', stop, form, headers)).status).toBe(403);
        expect((await ui.logIn(PASSWORD, headers)).status).toBe(403);
      }
      // Nor does a link.
      expect((await ui.get(pathOf('/do/stop', { uuid: hook.uuid, token: own }))).status).toBe(404);
      expect((await hooks.task(hook.uuid)).stopped).toBe(false);
      expect((await ui.ask('POST', stop, form, { Origin: hooks.url })).status).toBe(303);
      expect((await hooks.task(hook.uuid)).stopped).toBe(true);
    });

    it('sends headers that let nothing be framed, cached or run', async () => {
      const { ui } = await signedIn();
      for (const path of [
        ...PAGES.map((each) => pathOf(each)),
        pathOf('/none'),
        pathOf('/login'),
      ]) {
        const { headers, text } = await ui.get(path);
        expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
        expect(headers.get('cache-control')).toBe('no-store');
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        const policy = headers.get('content-security-policy') ?? '';
        expect(policy).toMatch(/^default-src 'none';.*frame-ancestors 'none'$/);
        expect(policy).not.toMatch(/script-src|unsafe|\*/);
        expect(text).not.toMatch(/<script|<[^>]+\s(on\w+|style)=/i);
      }
    });
  });

  it('escape whatever strangers write', async () => {
    const { hooks, ui } = await signedIn();
    const hostile = `<img src=x onerror=alert(1)>"'&\u202e\u009b31m\u0000\ud800`;
    const evil = `"><script>${hostile}`;
    const hook = repositoryHook({ workflow: evil, repoFullName: `${evil}/r`, other: evil });
    const plain = plainHook();
    await post(hooks, hook, plain);
    context.api.behave = ({ url }) =>
      url.endsWith('/runs') ? { refuse: 404, id: 92, message: 'no <b>such</b> workflow' } : 'ok';
    await push(hooks, hook, { push: evil });
    await hooks.webhook(plain.uuid, {
      ...{ query: `a=${encodeURIComponent(evil.slice(0, -1))}&token=not-to-be-seen`, body: evil },
      headers: { 'X-Evil': '"><script>alert(1)</script>', Authorization: 'Bearer not-to-be-seen' },
    });
    await push(hooks, hook, { deleted: 'gone"><script>' });
    await waitFor(async () => (await hooks.tasks()).some(({ type }) => type === 'BranchDeletion'));
    for (const each of [hook, plain]) await allDone(hooks, each);
    const [cleanup] = (await hooks.tasks()).filter(({ type }) => type === 'BranchDeletion');
    const last = await execution(hooks, plain);
    const paths = [
      ...PAGES.map((path) => pathOf(path)),
      ...[hookPath(hook.uuid), hookPath(plain.uuid), hookPath(cleanup?.uuid ?? '')],
      ...[pathOf('/why', { target: hook.uuid, branch: evil }), pathOf('/why', { target: evil })],
      ...[executionPath(last), executionPath(await execution(hooks, hook))],
      ...[pathOf('/hooks', { q: evil }), pathOf('/dead-letters', { uuid: evil })],
      ...[
        pathOf('/confirm/retry', { uuid: evil, timestamp: evil }),
        pathOf(`/hooks/x${encodeURIComponent(evil.slice(0, -1))}`),
      ],
    ];
    const seen: string[] = [];
    for (const path of paths) {
      const { status, text } = await ui.get(path);
      expect([path, [200, 400, 404].includes(status)]).toEqual([path, true]);
      expect(text).not.toMatch(/<script|<img/i);
      // oxlint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\u202e\u0080-\u009f\u0000]/);
      expect(text).not.toContain('not-to-be-seen');
      seen.push(text);
    }
    expect(seen.join('')).toContain(
      '&lt;script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;\\u202e',
    );
    expect(seen.join('')).toContain('no &lt;b&gt;such&lt;/b&gt; workflow');
  });

  it('retry and drop dead letters, one and all of a hook', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await start({ retryError: 1 }, { logger });
    const ui = uiClient(hooks.url);
    await ui.logIn();
    const hook = await deadLetter(hooks, 'bad');
    const { timestamp } = await execution(hooks, hook);
    const target = { uuid: hook.uuid, timestamp: String(timestamp) };
    expect((await ui.get(pathOf('/dead-letters'))).text).toContain('bad');
    expect((await ui.get(executionPath(target))).text).toContain('a dead letter');

    // It asks first.
    const { text } = await ui.get(pathOf('/confirm/drop-all', { uuid: hook.uuid }));
    expect(text).toContain(`It is about 1 dead letters of ${hook.uuid}.`);
    refused.clear();
    const retried = await ui.post(pathOf('/do/retry'), target);
    const place = retried.headers.get('location') ?? '';
    expect(place).toBe(`${executionPath(target)}?done=retry`);
    await waitFor(() => refsOf(context, hook).includes('bad'));
    await allDone(hooks, hook);
    const after = await ui.get(place);
    expect(after.text).toMatch(/role="status">The dead letter was sent again/);
    expect(after.text).toContain('href="https://cds.example/project/PROJ/workflow/wf1/run/');
    expect((await ui.post(pathOf('/do/retry'), target)).status).toBe(409);
    expect((await ui.post(pathOf('/do/retry'), { ...target, timestamp: '1' })).status).toBe(400);

    refused.add('worse');
    await push(hooks, hook, { push: 'worse' });
    await waitFor(async () => (await ui.get(pathOf('/dead-letters'))).text.includes('worse'));
    const dropped = await ui.post(pathOf('/do/drop-all'), { uuid: hook.uuid });
    const list = await ui.get(dropped.headers.get('location') ?? '');
    expect(list.text).toContain('Dropped: 1 executions and 0 cleanups.');
    expect(list.text).toContain('There is none.');
    const acts = lines.filter(({ msg }) => msg === 'operator acts');
    expect(acts.map((line) => line['action'])).toEqual(['retry', 'drop-all']);
    expect(acts[0]).toMatchObject({ level: 30, ...target });
  });

  it('stop, start and hurry what there is, as the routes do', async () => {
    const { hooks, ui } = await signedIn();
    const hook = repositoryHook();
    await post(hooks, hook);
    await ui.post(pathOf('/do/stop'), { uuid: hook.uuid });
    await push(hooks, hook, { push: 'held' });
    expect((await ui.get(hookPath(hook.uuid))).text).toContain('stopped');
    expect((await ui.get(pathOf('/hooks', { list: 'stopped' }))).text).toContain(hook.uuid);
    const { timestamp } = await execution(hooks, hook);
    await ui.post(pathOf('/do/end'), { uuid: hook.uuid, timestamp: String(timestamp) });
    await ui.post(pathOf('/do/start'), { uuid: hook.uuid });
    await push(hooks, hook, { push: 'free' });
    await waitFor(() => refsOf(context, hook).includes('free'));
    expect(refsOf(context, hook)).not.toContain('held');
    await allDone(hooks, hook);
    const done = await execution(hooks, hook, 1);
    await ui.post(pathOf('/do/replay'), { uuid: hook.uuid, timestamp: String(done.timestamp) });
    await waitFor(() => refsOf(context, hook).filter((ref) => ref === 'free').length === 2);

    await push(hooks, hook, { deleted: 'gone' });
    const cleanup = await waitFor(
      async () => (await hooks.tasks()).find(({ type }) => type === 'BranchDeletion')?.uuid,
    );
    expect((await ui.get(pathOf('/cleanups'))).text).toContain('gone');
    await ui.post(pathOf('/do/stop'), { uuid: cleanup });
    expect((await ui.get(pathOf('/cleanups', { list: 'stopped' }))).text).toContain('gone');
    expect((await ui.post(pathOf('/do/do-now'), { uuid: cleanup })).status).toBe(409);
    await ui.post(pathOf('/do/start'), { uuid: cleanup });
    await ui.post(pathOf('/do/do-now'), { uuid: cleanup });
    await waitFor(async () => (await hooks.tasks()).every(({ uuid }) => uuid !== cleanup));

    await ui.post(pathOf('/do/pause'));
    expect((await hooks.status())['Maintenance']?.status).toBe('WARN');
    expect((await ui.get(UI)).text).toContain('Resume the processing');
    await ui.post(pathOf('/do/resume'));
    expect((await hooks.status())['Maintenance']).toBeUndefined();
  });

  it('find hooks without reading all of them, and list in bounded pages', async () => {
    const { hooks, ui } = await signedIn();
    const found = repositoryHook({ workflow: 'Needle', repoFullName: 'acme/shop' });
    const many = Array.from({ length: 120 }, (_, i) => plainHook({ workflow: `hay-${i}` }));
    await post(hooks, found, ...many);
    for (const q of ['needle', 'ACME/shop', found.uuid.slice(0, 13), 'PROJ/Needle']) {
      const { text } = await ui.get(pathOf('/hooks', { q }));
      expect(text).toContain(found.uuid);
      expect(text).not.toContain('hay-');
    }
    await ui.post(pathOf('/do/pause'));
    for (const hook of many.slice(0, 60)) await hooks.webhook(hook.uuid, { body: '{}' });
    const rows = (text: string) => text.match(/<tr>/g)?.length ?? 0;
    const first = await ui.get(pathOf('/hooks', { list: 'waiting' }));
    expect([rows(first.text), first.text.includes('60 in all')]).toEqual([51, true]);
    const next = await ui.get(pathOf('/hooks', { list: 'waiting', offset: 50 }));
    expect(rows(next.text)).toBe(11);
    for (const [path, query] of [
      ['/hooks', { list: 'waiting', offset: '-1' }],
      ['/hooks', { list: 'waiting', offset: '1000000000' }],
      ['/hooks', { list: 'none' }],
      ['/hooks', { cursor: '1;2' }],
      ['/hooks', { cursor: '9'.repeat(20) }],
      ['/dead-letters', { offset: 'x' }],
      [`/hooks/${found.uuid}`, { limit: '501' }],
    ] as const)
      expect([path, (await ui.get(pathOf(path, query))).status]).toEqual([path, 400]);
    expect((await ui.get(hookPath('00000000-0000-4000-8000-000000000000'))).status).toBe(404);
  });

  it('show the overview while Redis is away, and say so elsewhere', async () => {
    const { ui } = await signedIn();
    await context.redis.shutDown();
    const overview = await ui.get(UI);
    expect(overview.status).toBe(200);
    expect(overview.text).toContain('Redis does not answer: nothing is known of what waits.');
    const { status, text } = await ui.get(pathOf('/hooks'));
    expect([status, text.includes('role="alert"')]).toEqual([503, true]);
    await context.redis.start();
    await waitFor(async () => (await ui.get(pathOf('/hooks'))).status === 200);
  });
});

describe('html', () => {
  it('escapes every value but HTML, and leaves out what is missing', () => {
    const part = html`<b>${'<i>'}</b>`;
    const parts = ['a&b', html`<u></u>`];
    expect(html`${part}|${parts}|${undefined}${false}|${0}`.text).toBe(
      '<b>&lt;i&gt;</b>|a&amp;b<u></u>||0',
    );
    expect(html`<a title="${`"'`}"></a>`.text).toBe('<a title="&quot;&#39;"></a>');
  });
});

describe('prettyJson', () => {
  it('lays JSON out as JSON.stringify does, and keeps what was written', () => {
    for (const value of [{ a: [1, { b: 'x"}\\' }, []], c: {}, d: null }, [], [[]], 'text', 12]) {
      const whole = { text: JSON.stringify(value, null, 2), isWhole: true };
      expect(prettyJson(JSON.stringify(value), 1_000)).toEqual(whole);
      expect(prettyJson(JSON.stringify(value, null, 7), 1_000)).toEqual(whole);
    }
    expect(prettyJson('{"n":12345678901234567890.10}', 99).text).toContain(
      '12345678901234567890.10',
    );
  });

  it('bounds the text, however it is nested or cut off', () => {
    const texts = ['['.repeat(1e6), `["${'x'.repeat(1e6)}`, '[1,'.repeat(3e5), '{"a'];
    for (const text of texts) {
      const { text: shown, isWhole } = prettyJson(text, 5_000);
      expect(shown.length).toBeLessThanOrEqual(5_000);
      expect(isWhole).toBe(text.length < 10);
    }
  });
});
