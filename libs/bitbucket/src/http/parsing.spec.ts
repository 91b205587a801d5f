import { anyText, growth, LINEAR } from '@cds/testing';
import fc from 'fast-check';
import { parseErrorBody } from './parse-error-body';
import { parseRetryAfter } from './refusal';
import { expandTemplate } from './urls';

describe('parseErrorBody', () => {
  const message = (body: unknown) =>
    parseErrorBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))).message;
  const envelope = (error: object) => message({ type: 'error', error });

  it.each([
    ['a message', envelope({ message: 'Forbidden' }), 'Forbidden'],
    ['detail as a string', envelope({ message: 'A', detail: 'B' }), 'A - B'],
    [
      'detail as missing scopes',
      envelope({
        message: 'Your credentials lack one or more required privilege scopes.',
        detail: { required: ['account'], granted: ['team', 'webhook'] },
      }),
      'Your credentials lack one or more required privilege scopes. - required: account; granted: team, webhook',
    ],
    [
      'fields that the message names already',
      envelope({ message: 'key: Too long.', fields: { key: ['Too long.'] } }),
      'key: Too long.',
    ],
    [
      'fields besides',
      envelope({ message: 'Bad request', fields: { url: ['Enter a URL.', 'Required.'] } }),
      'Bad request - url: Enter a URL., Required.',
    ],
    [
      'what is gone',
      envelope({
        message: 'CHANGE-2770 - Functionality has been deprecated',
        data: { announcement_url: 'https://example.org/c' },
      }),
      'CHANGE-2770 - Functionality has been deprecated - https://example.org/c',
    ],
    [
      'OAuth',
      message({ error: 'invalid_grant', error_description: 'Unsupported grant type: None' }),
      'Unsupported grant type: None (invalid_grant)',
    ],
    ['OAuth without a description', message({ error: 'invalid_scope' }), 'invalid_scope'],
    [
      'text',
      message('Rate limit for this resource has been exceeded\n'),
      'Rate limit for this resource has been exceeded',
    ],
    [
      'HTML with a title',
      message('<html><head><title>502 Bad\nGateway</title></head><body><p>x</p></body></html>'),
      '502 Bad Gateway',
    ],
    [
      'HTML without',
      message('<!DOCTYPE html><style>p{}</style><p>We are <b>down</b></p>'),
      'We are down',
    ],
    ['nothing', message(''), ''],
    ['JSON of another shape', message('[1,2]'), '[1,2]'],
    ['broken JSON', message('{"type": "error", "err'), '{"type": "error", "err'],
  ])('makes one line of %s', (_, got, expected) => {
    expect(got).toBe(expected);
  });

  it('never throws, never breaks a line, is bounded in size and time', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 3000 }), fc.json()), (body) => {
        const line = message(body);
        expect(line.length).toBeLessThanOrEqual(1_001);
        expect(line).not.toMatch(/[\r\n]/);
      }),
    );
    for (const evil of ['<script', '<', '<title', '<style>'])
      expect(growth(50_000, (n) => evil.repeat(n), message)).toBeLessThan(LINEAR);
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-11-22T10:00:00.500Z');
  it.each([
    ['0', 0],
    ['120', 120],
    [' 1.2 ', 2],
    ['Sun, 22 Nov 2026 10:00:30 GMT', 30],
    ['Sun, 22 Nov 2026 09:00:00 GMT', 0],
    ['', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['99999999999', undefined],
  ])('reads %j as %p', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});

describe('expandTemplate', () => {
  const expand = (name: string) => expandTemplate('/refs/{name}', { name }, 'GET /refs');

  it('makes one segment of any name, and the name can be had back', () => {
    expect(expand('feature/a b#1?x=%2F{ü}')).toBe(
      '/refs/feature%2Fa%20b%231%3Fx%3D%252F%7B%C3%BC%7D',
    );
    fc.assert(
      fc.property(anyText(fc, { minLength: 1 }), (name) => {
        fc.pre(name !== '.' && name !== '..');
        const path = new URL(`http://h${expand(name)}`).pathname;
        expect(path.split('/')).toHaveLength(3);
        expect(decodeURIComponent(path.slice('/refs/'.length))).toBe(name);
      }),
    );
  });

  it.each(['', '.', '..', '\ud800'])('refuses %j, which would lead elsewhere', (name) => {
    expect(() => expand(name)).toThrow(expect.objectContaining({ status: 404 }));
  });
});
