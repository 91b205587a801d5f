import { ApiError } from '@cds/api-client';
import { captureLogger } from '@cds/testing';
import { createApiCaller } from './call-api';

const UNKNOWN = new ApiError('unauthorized', 'not authenticated', { status: 401, cdsId: 10 });

function caller() {
  let registrations = 0;
  const registerNow = async () => void registrations++;
  const { logger } = captureLogger();
  const callApi = createApiCaller({ registration: { registerNow }, logger });
  return { callApi, registrations: () => registrations };
}

describe('a call that the API refuses with 401', () => {
  it('is made again after a registration', async () => {
    const { callApi, registrations } = caller();
    const answers = [UNKNOWN, undefined];
    const call = async () => {
      const error = answers.shift();
      if (error) throw error;
      return 'done';
    };
    expect(await callApi(call, async () => true)).toEqual({ ok: true, value: 'done' });
    expect(registrations()).toBe(1);
  });

  it('does not lead to a registration each, where the API refuses all that follow', async () => {
    const { callApi, registrations } = caller();
    const began = performance.now();
    for (let calls = 0; calls < 50; calls++)
      expect(
        await callApi(
          () => Promise.reject(UNKNOWN),
          async () => true,
        ),
      ).toEqual({
        ok: false,
        failure: { kind: 'unavailable', message: 'not authenticated', mayBeDone: false },
      });
    const seconds = (performance.now() - began) / 1_000;
    expect(registrations()).toBeLessThanOrEqual(1 + seconds);
  });
});
