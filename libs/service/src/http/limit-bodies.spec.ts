import type { IncomingMessage, ServerResponse } from 'node:http';
import { connectionLimits } from './connection-limits';
import { limitBodies } from './limit-bodies';

describe('the limit of bodies on their way', () => {
  it('makes room for several at once, so that few requests cost a look at all others', () => {
    let looks = 0;
    const request = (): IncomingMessage =>
      ({
        headers: { 'content-length': '5' },
        destroyed: false,
        socket: {},
        get complete() {
          looks += 1;
          return false;
        },
      }) as unknown as IncomingMessage;
    const cut = jest.fn();
    const limits = connectionLimits({ connections: 2_000, bodies: 1_000 });
    const bodies = limitBodies({ limits, warnOfFlood: () => undefined, cut });
    const response = { headersSent: true } as ServerResponse;
    for (let index = 0; index < 1_000; index += 1) bodies.begin(request(), response, 100);
    expect([cut.mock.calls.length, looks]).toEqual([0, 0]);
    for (let index = 0; index < 1_000; index += 1) bodies.begin(request(), response, 100);
    // Each twentieth of the limit.
    expect(looks).toBeLessThan(25 * 1_001);
    expect(cut.mock.calls.length).toBeGreaterThanOrEqual(1_000);
    expect(cut.mock.calls.length).toBeLessThanOrEqual(1_050);
  });
});
