import { anyText, fuzzRuns, hostileJson } from '@cds/testing';
import type { HookConfig } from '@cds/wire';
import fc from 'fast-check';
import { expectCleanPrototypes } from '../../../test/hostile';
import { pushEvent } from '../../../test/polled';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import { planPoll } from './plan-poll';

afterEach(expectCleanPrototypes);

const value = (text: string) => ({
  ...{ value: text, configurable: true, type: '', multiple_choice_list: null },
});
const text = anyText(fc);
const events = fc.oneof(hostileJson(fc, pushEvent('main', 'a'.repeat(40)), 5), fc.json(), text);
const changes = fc.record({
  kind: fc.constantFrom('push' as const, 'pullrequest' as const, 'delete' as const),
  ref: fc.oneof(
    text,
    fc.tuple(fc.constantFrom('refs/heads/', 'refs/tags/'), text).map((parts) => parts.join('')),
  ),
  hash: text,
  event: events,
  seen_after: fc.nat(),
});

describe('the plan of a change that polling found', () => {
  it('is one run with a payload of texts, one branch to clean up, or none', () => {
    const payload = fc.oneof(fc.json(), text, fc.constant('{"__proto__":{"polluted":1}}'));
    const type = fc.constantFrom('RepoPoller' as const, 'RepoWebHook' as const);
    fc.assert(
      fc.property(changes, payload, type, (poll, text, ofType) => {
        const config: HookConfig = { payload: value(text), repoFullName: value('acme/web-shop') };
        try {
          const { steps } = planPoll({ type: ofType, config, poll });
          expect(steps.length).toBeLessThanOrEqual(1);
          const [step] = steps;
          if (!step) expect(poll).toMatchObject({ kind: 'delete' });
          else if (step.type === 'run') {
            expect(Object.values(step.payload).every((one) => typeof one === 'string')).toBe(true);
            expect(step.payload['git.hash']).toBe(poll.hash);
            expect(step.payload.payload).toBe(poll.event);
          } else expect(poll.kind).toBe('delete');
        } catch (error) {
          if (!(error instanceof MalformedExecutionError)) throw error;
          expect(poll.kind).not.toBe('delete');
        }
      }),
      fuzzRuns(500),
    );
  });
});
