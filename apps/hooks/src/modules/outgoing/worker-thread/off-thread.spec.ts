import { InterpolateError } from '@cds/interpolate';
import { createOffThread, OffThreadError } from './off-thread';
import { doSmallWork } from './do-small-work';
import { doHeavyWork } from './heavy-work';
import { startThread } from './start-thread';

const NOTHING = new Map<string, string>();
/** Too much for this thread, and little enough for the other. */
const LARGE = { template: '{{repeat 100000 "a" | upper | trunc 1}}'.repeat(3), values: NOTHING };
const TOO_MUCH = { ...LARGE, template: LARGE.template.repeat(400) };

describe('what may take long for one user', () => {
  const offThread = createOffThread();
  afterAll(() => offThread.stop());

  it('is done in a thread, while the event loop goes on', async () => {
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    const done = await offThread.run('fillPayload', LARGE, 'P');
    clearInterval(ticking);
    expect(done).toEqual({ payload: 'AAA' });
    // A loop that waits for the result has no turn before it.
    expect(turns).toBeGreaterThan(3);
  });

  it('is done at once where it is little', async () => {
    let isDone = false;
    void offThread
      .run('fillPayload', { template: '{{.a}}', values: new Map([['a', 'b']]) }, 'P')
      .then(() => (isDone = true));
    await Promise.resolve().then(() => undefined);
    await Promise.resolve();
    expect(isDone).toBe(true);
  });

  it.each([80, 400])(
    'is done in a thread where %i lines of a secret begin like the answer',
    async (lines) => {
      const length = Math.floor(4_000 / lines);
      const line = (_: unknown, i: number): string => String(i).padStart(length - 1, 'a');
      const secrets = [{ name: 'key', value: Array.from({ length: lines }, line).join('\n') }];
      const log = (body: string) => ({
        call: {
          request: { head: '', body: '', isCut: false },
          response: { head: 'HTTP/1.1 200 OK', body, isCut: false },
        },
        secrets,
      });
      const alike = log('a'.repeat(8_000));
      expect(doSmallWork('callLogOf', alike)).toBeUndefined();
      expect({ result: await offThread.run('callLogOf', alike, 'P') }).toEqual(
        doHeavyWork({ name: 'callLogOf', order: alike }),
      );
      // The length alone takes no thread.
      expect(doSmallWork('callLogOf', log('{"a": "b"}, '.repeat(5_000)))).toContain('"b"');
    },
  );

  it('tells a mistake of the user as what it is', async () => {
    await expect(offThread.run('fillPayload', TOO_MUCH, 'P')).rejects.toThrow(InterpolateError);
    await expect(offThread.run('fillPayload', TOO_MUCH, 'P')).rejects.toThrow('use fewer helpers');
  });

  it('ends with its thread when it takes too long, and what comes next has another', async () => {
    const impatient = createOffThread({ deadlineMs: 1 });
    const [first, second] = await Promise.allSettled([
      impatient.run('fillPayload', LARGE, 'P'),
      impatient.run('fillPayload', LARGE, 'P'),
    ]);
    for (const { status, ...rest } of [first, second]) {
      expect(status).toBe('rejected');
      expect((rest as { reason: unknown }).reason).toBeInstanceOf(OffThreadError);
    }
    impatient.stop();
    await expect(offThread.run('fillPayload', LARGE, 'P')).resolves.toEqual({ payload: 'AAA' });
  });

  it('fails alone where its thread does not start: what comes next has another', async () => {
    let starts = 0;
    const unlucky = createOffThread({
      start() {
        if (starts++ === 0) throw new Error('Worker initialization failure: EAGAIN');
        return startThread();
      },
    });
    const [first, second] = await Promise.allSettled([
      unlucky.run('fillPayload', LARGE, 'P'),
      unlucky.run('fillPayload', LARGE, 'P'),
    ]);
    expect(first).toMatchObject({
      status: 'rejected',
      reason: { name: 'OffThreadError', message: expect.stringContaining('EAGAIN') as string },
    });
    expect(second).toEqual({ status: 'fulfilled', value: { payload: 'AAA' } });
    await expect(unlucky.run('fillPayload', LARGE, 'P')).resolves.toEqual({ payload: 'AAA' });
    expect(starts).toBe(2);
    unlucky.stop();
  });

  it('keeps no other project waiting for more than one order of it', async () => {
    const shared = createOffThread();
    const ended: string[] = [];
    const run = async (project: string) => {
      await shared.run('fillPayload', LARGE, project);
      ended.push(project);
    };
    // The first is under way when the others come.
    const all = ['busy', 'busy', 'busy', 'busy', 'busy', 'busy', 'other', 'third', 'third'];
    await Promise.all(all.map(run));
    expect(ended.slice(0, 4)).toEqual(['busy', 'busy', 'other', 'third']);
    expect(ended.slice(4).toSorted()).toEqual(['busy', 'busy', 'busy', 'busy', 'third']);
    shared.stop();
  });

  it('is refused where much of the same project waits, and of no other', async () => {
    const small = createOffThread({ limits: { max: 4, maxPerOwner: 2 } });
    const run = (project: string) => small.run('fillPayload', LARGE, project);
    // One is under way, two wait.
    const all = ['busy', 'busy', 'busy', 'busy', 'other', 'other', 'third'].map(run);
    const ends = (await Promise.allSettled(all)).map(({ status }) => status);
    expect(ends).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
      // No more than four wait in all.
      ...['fulfilled', 'fulfilled', 'rejected'],
    ]);
    await expect(all[3]).rejects.toThrow(OffThreadError);
    await expect(run('busy')).resolves.toEqual({ payload: 'AAA' });
    small.stop();
  });

  it('is not waited for when the service ends', async () => {
    const ending = createOffThread();
    const all = Promise.allSettled([1, 2].map(() => ending.run('fillPayload', LARGE, 'P')));
    ending.stop();
    for (const { status } of await all) expect(status).toBe('rejected');
  });
});
