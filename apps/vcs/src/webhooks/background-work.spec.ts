import { waitFor, takesTime } from '@cds/testing';
import { createBackgroundWork } from './background-work';

describe('background work', () => {
  function create(maxMs = 5_000) {
    const errors: unknown[] = [];
    const work = createBackgroundWork({
      atOnce: 2,
      waiting: 3,
      maxMs,
      onError: (error) => errors.push(error),
    });
    return { work, errors };
  }

  it('is so much at once, so much waiting, and no more', async () => {
    const { work } = create();
    let running = 0;
    let most = 0;
    let done = 0;
    const job = async () => {
      running += 1;
      most = Math.max(most, running);
      await takesTime(20);
      running -= 1;
      done += 1;
    };
    const added = Array.from({ length: 8 }, () => work.add(job));
    expect(added).toEqual([true, true, true, true, true, false, false, false]);
    await waitFor(() => done === 5, { what: 'all that was taken' });
    expect(most).toBe(2);
    expect(work.add(job)).toBe(true);
    await waitFor(() => done === 6, { what: 'the next' });
  });

  it('does all that it took while one piece of work ended and the next began', async () => {
    const { work } = create();
    let taken = 0;
    let done = 0;
    let end: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (end = resolve));
    for (let count = 0; count < 5; count += 1) {
      taken += 1;
      work.add(() => first.then(() => void (done += 1)));
    }
    end();
    // Each turn of the queue of microtasks is a moment at which a slot may just be free.
    for (let turn = 0; turn < 50; turn += 1) {
      await Promise.resolve();
      while (work.add(async () => void (done += 1))) taken += 1;
    }
    await waitFor(() => done === taken, { what: 'all that was taken' });
    expect(taken).toBeGreaterThan(5);
  });

  it('goes on after work that failed or hung', async () => {
    const { work, errors } = create(50);
    let done = false;
    work.add(() => Promise.reject(new Error('no')));
    work.add(() => new Promise<void>(() => undefined));
    work.add(() => new Promise<void>(() => undefined));
    work.add(async () => void (done = true));
    await waitFor(() => done && errors.length === 3, { what: 'the last' });
  });

  it('ends at once when it is closed, and takes nothing more', async () => {
    const { work, errors } = create();
    const ended: boolean[] = [];
    let started = 0;
    const job = ({ signal }: { signal: AbortSignal }) =>
      new Promise<void>((_, reject) => {
        started += 1;
        signal.addEventListener('abort', () => {
          ended.push(true);
          reject(new Error('ended'));
        });
      });
    for (let count = 0; count < 4; count += 1) work.add(job);
    await waitFor(() => started === 2);
    work.close();
    await waitFor(() => errors.length === 2, { what: 'the end' });
    expect(ended).toHaveLength(2);
    expect(work.add(job)).toBe(false);
  });
});
