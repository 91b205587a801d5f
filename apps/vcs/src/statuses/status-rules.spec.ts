import fc from 'fast-check';
import { statusKey } from './reported-build';
import { shouldSend, type SentStatus } from './status-order';

const sent = fc.record<SentStatus>({
  number: fc.nat(4),
  subNumber: fc.nat(3),
  state: fc.constantFrom('INPROGRESS', 'SUCCESSFUL', 'FAILED', 'STOPPED'),
  description: fc.constant('d'),
  url: fc.constant('u'),
});

describe('the order of statuses', () => {
  it('ends with the newest run, in a final state if it had one, in whatever order events arrive', () => {
    fc.assert(
      fc.property(fc.array(sent, { minLength: 1, maxLength: 12 }), (events) => {
        let last: SentStatus | undefined;
        for (const next of events) if (shouldSend(last, next)) last = next;
        const newest = events.reduce((one, other) =>
          other.number - one.number || other.subNumber - one.subNumber
            ? other.number > one.number ||
              (other.number === one.number && other.subNumber > one.subNumber)
              ? other
              : one
            : one,
        );
        expect([last?.number, last?.subNumber]).toEqual([newest.number, newest.subNumber]);
        const ofNewest = events.filter(
          (one) => one.number === newest.number && one.subNumber === newest.subNumber,
        );
        const hadFinal = ofNewest.some((one) => one.state !== 'INPROGRESS');
        expect(last?.state !== 'INPROGRESS').toBe(hadFinal);
      }),
    );
  });

  it('never sends the same twice', () => {
    fc.assert(fc.property(sent, (status) => !shouldSend(status, { ...status })));
  });
});

describe('the key of a status', () => {
  it('is the name where that fits', () => {
    fc.assert(fc.property(fc.string({ maxLength: 40 }), (name) => statusKey(name) === name));
    expect(statusKey('x'.repeat(40))).toBe('x'.repeat(40));
  });

  it('has at most 40 characters where it does not, and differs for different names', () => {
    const long = fc.string({ minLength: 41, maxLength: 200, unit: 'grapheme' });
    fc.assert(
      fc.property(long, long, (one, other) => {
        expect(statusKey(one).length).toBeLessThanOrEqual(40);
        // Throws on half a character.
        encodeURIComponent(statusKey(one));
        expect(statusKey(one) === statusKey(other)).toBe(one === other);
      }),
    );
  });
});
