import fc from 'fast-check';
import { canonicalHeaders } from '../../payloads/canonical-headers';
import { validateRepositoryDelivery } from './validate-delivery';
import { branch, created, push } from './push.fixture';

const body = push([created(branch('main'))]);
const cloud = (event: string, more: Record<string, string> = {}) => ({
  'content-type': 'application/json',
  'user-agent': 'Bitbucket-Webhooks/2.0',
  'x-event-key': event,
  'x-hook-uuid': '2d1f0f5c-8a37-4d5e-9a3b-6a1f0c7b8e9d',
  'x-request-uuid': '7f8e9d0c-1b2a-4c3d-8e5f-6a7b8c9d0e1f',
  'x-attempt-number': '1',
  ...more,
});

const foreign = (sender: string) =>
  `this is a delivery of ${sender}: this service takes those of Bitbucket Cloud alone`;

describe('validateRepositoryDelivery', () => {
  it('knows a push', () => {
    expect(validateRepositoryDelivery({ headers: cloud('repo:push'), body })).toEqual({
      kind: 'accept',
      changes: expect.any(Array),
    });
    const utf8 = cloud('repo:push', { 'content-type': 'application/json; charset=utf-8' });
    expect(validateRepositoryDelivery({ headers: utf8, body: push([]) })).toEqual({
      kind: 'accept',
      changes: expect.any(Array),
    });
  });

  it.each([
    'issue:comment_created',
    'issue:created',
    'issue:updated',
    'pipeline:span_created',
    'project:updated',
    'pullrequest:approved',
    'pullrequest:changes_request_created',
    'pullrequest:changes_request_removed',
    'pullrequest:comment_created',
    'pullrequest:comment_deleted',
    'pullrequest:comment_reopened',
    'pullrequest:comment_resolved',
    'pullrequest:comment_updated',
    'pullrequest:created',
    'pullrequest:fulfilled',
    'pullrequest:push',
    'pullrequest:rejected',
    'pullrequest:unapproved',
    'pullrequest:updated',
    'repo:commit_comment_created',
    'repo:commit_status_created',
    'repo:commit_status_updated',
    'repo:created',
    'repo:deleted',
    'repo:fork',
    'repo:imported',
    'repo:transfer',
    'repo:updated',
    'repo:an_event_of_next_year',
    'pullrequest:an_event_of_next_year',
  ])('ignores %s, whatever its body', (event) => {
    expect(
      validateRepositoryDelivery({ headers: cloud(event), body: Buffer.from('no json') }),
    ).toEqual({
      kind: 'ignore',
      event,
    });
  });

  it.each([
    'repo:refs_changed',
    'repo:modified',
    'repo:forked',
    'repo:secret_detected',
    'repo:comment:added',
    'repo:comment:edited',
    'repo:comment:deleted',
    'pr:opened',
    'pr:reviewer:approved',
    'proj:modified',
    'project:modified',
    'mirror:repo_synchronized',
    'diagnostics:ping',
  ])('knows %s as an event of Bitbucket Server', (event) => {
    expect(validateRepositoryDelivery({ headers: cloud(event), body })).toEqual({
      kind: 'refuse',
      reason: foreign('Bitbucket Server'),
    });
  });

  it.each([
    ['GitHub', { 'x-github-event': 'push' }],
    ['GitHub', { 'x-github-event': 'ping' }],
    ['GitLab', { 'x-gitlab-event': 'Push Hook' }],
    ['Gitea', { 'x-github-event': 'push', 'x-gogs-event': 'push', 'x-gitea-event': 'push' }],
    ['Gogs', { 'x-github-event': 'push', 'x-gogs-event': 'push' }],
    ['Forgejo', { 'x-forgejo-event': 'push', 'x-gitea-event': 'push', 'x-github-event': 'push' }],
    ['GitHub', { 'x-github-event': 'push', 'x-event-key': 'repo:push' }],
  ])('names %s by its header', (sender, headers) => {
    const validation = validateRepositoryDelivery({
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    expect(validation).toEqual({ kind: 'refuse', reason: foreign(sender) });
  });

  it.each([undefined, 'text/plain', 'application/x-www-form-urlencoded'])(
    'takes a push by its body, whatever its content type (%s)',
    (type) => {
      const headers = { 'x-event-key': 'repo:push', 'content-type': type };
      expect(validateRepositoryDelivery({ headers, body })).toEqual({
        kind: 'accept',
        changes: expect.any(Array),
      });
    },
  );

  it.each([
    ['no event key', {}, body, /header X-Event-Key is missing/],
    ['an empty event key', cloud(' '), body, /header X-Event-Key is missing/],
    ['an unknown event key', cloud('push'), body, /X-Event-Key holds "push"/],
    ['an endless event key', cloud('x'.repeat(5000)), body, /^.{0,250}$/],
    ['a family without an event', cloud('repo:'), body, /X-Event-Key holds "repo:"/],
    ['what is no JSON', cloud('repo:push'), Buffer.from('payload=1'), /body is not JSON/],
    ['no push', cloud('repo:push'), Buffer.from('{"changes":[]}'), / push: /],
    ['no changes', cloud('repo:push'), Buffer.from('{"push":{"changes":3}}'), / push\.changes: /],
  ])('refuses %s with a reason', (_, headers, received, reason) => {
    expect(validateRepositoryDelivery({ headers, body: received })).toEqual({
      kind: 'refuse',
      reason: expect.stringMatching(reason),
    });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.option(fc.oneof(fc.string(), fc.constantFrom('repo:push', 'repo:x')), {
          nil: undefined,
        }),
        fc.oneof(fc.string(), fc.json()),
        (event, text) => {
          const headers = { 'content-type': 'application/json', 'x-event-key': event };
          const { kind } = validateRepositoryDelivery({ headers, body: Buffer.from(text) });
          expect(['accept', 'ignore', 'refuse']).toContain(kind);
        },
      ),
    );
  });
});

describe('canonicalHeaders', () => {
  it('names headers as Go does, and keeps all values in order', () => {
    expect(
      canonicalHeaders([
        ...['x-event-key', 'repo:push', 'X-HOOK-UUID', 'u', 'content-type', 'application/json'],
        ...['Accept', 'a', 'accept', 'b', 'x_odd-name', 'o', 'x-2fa', 'z', 'etag', 'e'],
      ]),
    ).toEqual({
      'X-Event-Key': ['repo:push'],
      'X-Hook-Uuid': ['u'],
      'Content-Type': ['application/json'],
      Accept: ['a', 'b'],
      'X_odd-Name': ['o'],
      'X-2fa': ['z'],
      Etag: ['e'],
    });
  });

  it('keeps no credentials, and no Host', () => {
    expect(
      canonicalHeaders([
        ...['Host', 'hooks', 'authorization', 'Bearer x', 'Proxy-Authorization', 'Basic x'],
        ...['COOKIE', 'session=x', 'X_AUTH_HEADER', 'aGFzaA=='],
      ]),
    ).toEqual({});
  });

  it('treats __proto__ as a name like any other', () => {
    const headers = canonicalHeaders(['__proto__', 'x', '__proto__', 'y']);
    expect(Object.getOwnPropertyDescriptor(headers, '__proto__')?.value).toEqual(['x', 'y']);
  });

  it('stands an odd list', () => {
    expect(canonicalHeaders(['X-A'])).toEqual({});
  });
});
