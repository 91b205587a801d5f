import { randomBytes } from 'node:crypto';
import { pathOf, UI } from './paths';

export const PASSWORD = randomBytes(18).toString('base64');

export interface UiAnswer {
  status: number;
  text: string;
  headers: Headers;
}

/** A browser as far as the pages see it: it keeps the cookie, and sends forms with their token. */
export function uiClient(url: string) {
  let cookie = '';

  async function ask(
    method: string,
    path: string,
    form?: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<UiAnswer> {
    const response = await fetch(url + path, {
      ...{ method, redirect: 'manual' },
      headers: {
        ...(cookie && { Cookie: cookie }),
        ...(form && { 'Content-Type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
      ...(form && { body: new URLSearchParams(form).toString() }),
    });
    const set = response.headers.get('set-cookie');
    if (set) cookie = set.split(';', 1)[0] ?? '';
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  const client = {
    get: (path: string, headers?: Record<string, string>) => ask('GET', path, undefined, headers),
    ask,
    /** As `form` of a page that was loaded now. */
    async post(path: string, form: Record<string, string> = {}): Promise<UiAnswer> {
      const [, token = ''] = /name="token" value="([^"]+)"/.exec((await ask('GET', UI)).text) ?? [];
      return ask('POST', path, { ...form, token });
    },
    logIn: (password = PASSWORD, headers?: Record<string, string>) =>
      ask('POST', pathOf('/login'), { password, next: '' }, headers),
    cookie: () => cookie,
  };
  return client;
}
