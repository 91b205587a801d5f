import { type TaskType, taskTypeSchema } from '@cds/wire';
import type { StoredExecution } from '../execution';
import { whyNoReplay } from './why-no-replay';

const of = (type: string, more: Partial<StoredExecution> = {}) =>
  whyNoReplay({ type: type as TaskType, ...more } as StoredExecution);

const webhook = (event: string, body: unknown) => ({
  webhook: {
    request_url: '',
    request_body: Buffer.from(JSON.stringify(body)).toString('base64'),
    request_header: { 'X-Event-Key': [event] },
    request_method: '',
  },
});

describe('whyNoReplay', () => {
  it('replays a type that it does not know', () => {
    expect(of('Carrier pigeon')).toBeUndefined();
  });

  it('refuses the types whose executions start no run, and what lacks its request or change', () => {
    const refused = taskTypeSchema.options.filter((type) => of(type) !== undefined);
    expect(refused.sort()).toEqual([
      ...['BranchDeletion', 'Gerrit', 'Kafka', 'OutgoingWebhook', 'OutgoingWorkflow'],
      ...['RepoPoller', 'RepoWebHook', 'Workflow'],
    ]);
    expect(of('Kafka')).toBe('executions of type Kafka cannot be replayed');
  });

  it('replays the changes that a poll found, deletions excepted', () => {
    const poll = { ref: 'refs/heads/main', hash: 'a', event: '', seen_after: 0 };
    expect(of('RepoPoller', { poll: { ...poll, kind: 'push' } })).toBeUndefined();
    expect(of('RepoWebHook', { poll: { ...poll, kind: 'delete' } })).toMatch(/deleted branch/);
  });

  it('replays a push that holds a pushed branch or tag', () => {
    const pushed = { push: { changes: [{ old: {}, new: null }, { new: {} }] } };
    const deleted = { push: { changes: [{ old: {}, new: null }] } };
    expect(of('RepoWebHook', webhook('repo:push', pushed))).toBeUndefined();
    expect(of('RepoWebHook', webhook('repo:push', deleted))).toMatch(/only deletes branches/);
    expect(of('RepoWebHook', webhook('repo:push', {}))).toMatch(/cannot be read as a push/);
    expect(of('RepoWebHook', webhook('repo:fork', pushed))).toMatch(/no push \("repo:fork"\)/);
  });
});
