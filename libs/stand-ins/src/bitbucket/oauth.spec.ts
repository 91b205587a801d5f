import { sendRequest } from '../http/send-request';
import { bitbucketUnderTest, type BitbucketUnderTest } from './bitbucket.fixture';

let bitbucket: BitbucketUnderTest;
beforeEach(async () => {
  bitbucket = await bitbucketUnderTest();
});
afterEach(() => bitbucket.standIn.close());

const DEAD = {
  error: 'unauthorized_client',
  error_description: 'Invalid OAuth client credentials',
};

describe('the consent page', () => {
  const ask = (query: string) =>
    sendRequest({
      method: 'GET',
      url: `${bitbucket.standIn.oauthUrl}/authorize?${query}`,
      timeoutMs: 5_000,
    });

  it('sends the browser to the one callback of the consumer, with code and state', async () => {
    const answer = await ask('client_id=sandbox-client&response_type=code&state=a%26b');

    expect(answer.status).toBe(302);
    const location = new URL(String(answer.headers['location']));
    expect(`${location.origin}${location.pathname}`).toBe(bitbucket.standIn.consumer.callbackUrl);
    expect(location.searchParams.get('state')).toBe('a&b');
    expect(location.searchParams.get('code')).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['an unknown client', 'client_id=nobody&response_type=code'],
    ['the implicit grant', 'client_id=sandbox-client&response_type=token'],
    [
      'another callback',
      'client_id=sandbox-client&response_type=code&redirect_uri=http%3A%2F%2Fevil.example',
    ],
  ])('refuses %s', async (_what, query) => {
    expect((await ask(query)).status).toBe(400);
  });

  it('shows a form, or the refusal of the user, as configured', async () => {
    bitbucket.standIn.setConsent('ask');
    const page = await ask('client_id=sandbox-client&response_type=code&state="><script>');
    expect(page.status).toBe(200);
    expect(page.text).toContain('webhook');
    expect(page.text).not.toContain('<script>');

    bitbucket.standIn.setConsent('deny');
    const denied = await ask('client_id=sandbox-client&response_type=code&state=s');
    expect(denied.headers['location']).toContain('error=access_denied');
  });
});

describe('the token endpoint', () => {
  it('gives long tokens, their scope under its new name, and a state that is not the caller’s', async () => {
    const { status, json } = await bitbucket.token({
      grant_type: 'authorization_code',
      code: await bitbucket.code(),
    });

    expect(status).toBe(200);
    expect(String(json['access_token']).length).toBeGreaterThan(2_500);
    expect(String(json['refresh_token']).length).toBeGreaterThan(2_500);
    expect(json).toMatchObject({
      scope: 'account repository:write pullrequest:write webhook',
      expires_in: 3_600,
      token_type: 'bearer',
      state: 'authorization_code',
    });
    expect(json).not.toHaveProperty('scopes');
  });

  it('takes a code once', async () => {
    const form = { grant_type: 'authorization_code', code: await bitbucket.code() };

    expect((await bitbucket.token(form)).status).toBe(200);
    const again = await bitbucket.token(form);
    expect(again.status).toBe(400);
    expect(again.json['error']).toBe('invalid_grant');
  });

  it('takes a refresh token once and gives a new one', async () => {
    const form = { grant_type: 'refresh_token', refresh_token: bitbucket.tokens.refresh };

    const first = await bitbucket.token(form);
    expect(first.status).toBe(200);
    expect(first.json['refresh_token']).not.toBe(bitbucket.tokens.refresh);

    const again = await bitbucket.token(form);
    expect(again.status).toBe(400);
    expect(again.json).toEqual(DEAD);
    const rotated = String(first.json['refresh_token']);
    expect(
      (await bitbucket.token({ grant_type: 'refresh_token', refresh_token: rotated })).status,
    ).toBe(200);
  });

  it('refuses the wrong secret, no secret, and credentials in the body', async () => {
    const form = { grant_type: 'refresh_token', refresh_token: bitbucket.tokens.refresh };
    const wrong = `Basic ${Buffer.from('sandbox-client:wrong').toString('base64')}`;

    expect(await bitbucket.token(form, wrong)).toMatchObject({ status: 400, json: DEAD });
    const inBody = {
      ...form,
      client_id: 'sandbox-client',
      client_secret: 'sandbox-secret',
    };
    expect(await bitbucket.token(inBody, '')).toMatchObject({ status: 400, json: DEAD });
    expect((await bitbucket.token(form)).status).toBe(200);
  });

  it('finds no grant type in a JSON body', async () => {
    const { clientId, clientSecret } = bitbucket.standIn.consumer;
    const answer = await sendRequest({
      method: 'POST',
      url: `${bitbucket.standIn.oauthUrl}/access_token`,
      headers: {
        Authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({
        grant_type: 'refresh_token',
        refresh_token: bitbucket.tokens.refresh,
      }),
      timeoutMs: 5_000,
    });

    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toEqual({
      error: 'invalid_grant',
      error_description: 'Unsupported grant type: None',
    });
  });

  it('refuses a revoked grant, and the good ones for a while after a dead one', async () => {
    await bitbucket.standIn.close();
    bitbucket = await bitbucketUnderTest({ lockoutMs: 60_000 });
    const refresh = (token: string) =>
      bitbucket.token({ grant_type: 'refresh_token', refresh_token: token });

    expect((await refresh('dead')).json).toEqual(DEAD);
    expect((await refresh(bitbucket.tokens.refresh)).json).toEqual(DEAD);

    await bitbucket.standIn.close();
    bitbucket = await bitbucketUnderTest();
    bitbucket.standIn.revokeGrants();
    expect((await refresh(bitbucket.tokens.refresh)).json).toEqual(DEAD);
    expect((await bitbucket.call('GET', '/user')).status).toBe(401);
  });
});
