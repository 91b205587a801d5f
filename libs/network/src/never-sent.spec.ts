import { isNeverSent } from './never-sent';

const failure = (code: string, syscall?: string) =>
  Object.assign(new Error(code), { code, syscall });

describe('whether nothing was sent', () => {
  it.each([
    ['a refused connection', failure('ECONNREFUSED', 'connect')],
    ['no such host', failure('ENOTFOUND', 'getaddrinfo')],
    ['a name server that is away', failure('EAI_AGAIN', 'getaddrinfo')],
    ['no route', failure('EHOSTUNREACH')],
    ['an attempt to connect that timed out', failure('ETIMEDOUT', 'connect')],
    ['no address of this family', failure('EADDRNOTAVAIL', 'connect')],
    [
      'several attempts to connect',
      new AggregateError([failure('ETIMEDOUT', 'connect'), failure('ENETUNREACH', 'connect')]),
    ],
    [
      'an error that holds the one of the connection',
      Object.assign(new Error('axios'), {
        code: 'ETIMEDOUT',
        cause: new AggregateError([failure('ETIMEDOUT', 'connect')]),
      }),
    ],
    ['what says so itself', Object.assign(new Error('proxy'), { neverSent: true })],
  ])('is known of %s', (_, error) => expect(isNeverSent(error)).toBe(true));

  const circle = Object.assign(new Error('circle'), { cause: undefined as unknown });
  circle.cause = circle;
  it.each([
    ['a read that timed out', failure('ETIMEDOUT', 'read')],
    ['a connection that broke', failure('ECONNRESET', 'read')],
    ['a write', failure('EPIPE', 'write')],
    [
      'an attempt beside something else',
      new AggregateError([failure('ETIMEDOUT', 'connect'), failure('ECONNRESET', 'read')]),
    ],
    ['several errors that are none', new AggregateError([])],
    ['an answer that took too long', failure('ETIMEDOUT')],
    ['an error in a circle', circle],
    ['no error', undefined],
    ['a text', 'ECONNREFUSED'],
  ])('is not known of %s', (_, error) => expect(isNeverSent(error)).toBe(false));
});
