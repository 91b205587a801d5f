import { sendRequest, type IncomingAnswer } from '../http/send-request';
import { startBitbucket, type BitbucketOptions, type BitbucketStandIn } from './index';
import type { Json } from './model';

export interface Answer extends IncomingAnswer {
  json: Json;
}

/** A Bitbucket with a grant, and ways to ask it things. */
export interface BitbucketUnderTest {
  standIn: BitbucketStandIn;
  tokens: { access: string; refresh: string };
  /** Calls the API below `/2.0` with the grant's token. */
  call(method: string, path: string, body?: unknown, token?: string): Promise<Answer>;
  /** Posts a form to the token endpoint with the consumer's credentials. */
  token(form: Record<string, string>, authorization?: string): Promise<Answer>;
  /** Agrees at the consent page and returns the code. */
  code(): Promise<string>;
  /** What `/_control` does. */
  control(action: string, body?: unknown): Promise<Answer>;
}

function withJson(answer: IncomingAnswer): Answer {
  const isJson = String(answer.headers['content-type'] ?? '').includes('json');
  return { ...answer, json: isJson ? (JSON.parse(answer.text) as Json) : {} };
}

export async function bitbucketUnderTest(options?: BitbucketOptions): Promise<BitbucketUnderTest> {
  const standIn = await startBitbucket({ webhookRetryPauseMs: 10, ...options });
  const { clientId, clientSecret } = standIn.consumer;
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  const send = async (
    method: string,
    url: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<Answer> =>
    withJson(
      await sendRequest({
        method,
        url,
        headers,
        timeoutMs: 5_000,
        ...(body === undefined ? {} : { body }),
      }),
    );

  const under: BitbucketUnderTest = {
    standIn,
    tokens: { access: '', refresh: '' },
    call: (method, path, body, token = under.tokens.access) =>
      send(
        method,
        `${standIn.apiUrl}${path}`,
        { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body === undefined ? undefined : JSON.stringify(body),
      ),
    token: (form, authorization = basic) =>
      send(
        'POST',
        `${standIn.oauthUrl}/access_token`,
        { Authorization: authorization, 'Content-Type': 'application/x-www-form-urlencoded' },
        new URLSearchParams(form).toString(),
      ),
    async code() {
      const { headers } = await send(
        'GET',
        `${standIn.oauthUrl}/authorize?client_id=${clientId}&response_type=code&state=s1`,
        {},
      );
      return new URL(String(headers['location'])).searchParams.get('code') ?? '';
    },
    control: (action, body) =>
      send(
        body === undefined ? 'GET' : 'POST',
        `${standIn.url}/_control/${action}`,
        {},
        body === undefined ? undefined : JSON.stringify(body),
      ),
  };
  const { json } = await under.token({
    grant_type: 'authorization_code',
    code: await under.code(),
  });
  under.tokens = { access: String(json['access_token']), refresh: String(json['refresh_token']) };
  return under;
}

/** The refusal inside Bitbucket's envelope. */
export function refusal(answer: Answer): Json {
  expect(answer.json['type']).toBe('error');
  return answer.json['error'] as Json;
}
