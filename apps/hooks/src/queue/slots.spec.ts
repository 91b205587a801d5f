import { createIntakeLoad, MANY_WAITING } from './intake-load';
import { createSlots } from './slots';

type Slot = Awaited<ReturnType<ReturnType<typeof createSlots>['take']>>;

describe('slots', () => {
  let clock = 0;
  let isHigh = false;

  beforeEach(() => {
    jest.useFakeTimers();
    clock = 0;
    isHigh = false;
  });
  afterEach(() => jest.useRealTimers());

  /** Asks for so many slots. @returns those that were taken so far */
  function ask(count: number): Slot[] {
    const slots = createSlots(
      () => isHigh,
      () => clock,
    );
    const taken: Slot[] = [];
    for (let n = 0; n < count; n++) void slots.take().then((slot) => taken.push(slot));
    return taken;
  }

  /** Ends what was begun, and lets as much time pass, by few timers: the event loop is busy. */
  async function after(ms: number, taken: Slot[]): Promise<number> {
    for (const slot of taken) slot.giveBack();
    clock += ms;
    await jest.advanceTimersByTimeAsync(5);
    return taken.length;
  }

  it('are twenty, first come, first served', async () => {
    const taken = ask(30);
    await jest.advanceTimersByTimeAsync(0);
    expect(taken).toHaveLength(20);
    taken[3]?.giveBack();
    taken[3]?.giveBack();
    await jest.advanceTimersByTimeAsync(0);
    expect(taken).toHaveLength(21);
    await jest.advanceTimersByTimeAsync(250);
    expect(taken).toHaveLength(30);
  });

  it('are given to 200 executions a second while deliveries wait, however late a timer is', async () => {
    isHigh = true;
    const taken = ask(200);
    // As if nothing was done before.
    expect(await after(0, taken)).toBe(20);
    expect(await after(0, taken)).toBe(21);
    expect(await after(5, taken)).toBe(22);
    expect(await after(50, taken)).toBe(32);
    expect(await after(100, taken)).toBe(52);
    // No more than that is made up for.
    expect(await after(1_000, taken)).toBe(72);
    expect(await after(0, taken)).toBe(73);
    expect(await after(0, taken)).toBe(73);
  });

  it('count each execution that one of them is used for', async () => {
    isHigh = true;
    const taken = ask(60);
    await after(0, taken);
    const first = await after(0, taken);
    for (let n = 0; n < 9; n++) taken[0]?.begun();
    expect(await after(45, taken)).toBe(first);
    expect(await after(5, taken)).toBe(first + 1);
  });

  it('do not count one that was taken for nothing', async () => {
    isHigh = true;
    const taken = ask(60);
    await after(0, taken);
    const first = await after(0, taken);
    for (const slot of taken.slice(-3)) slot.unused();
    expect(await after(0, taken)).toBe(first + 3);
  });

  it('are all there when no delivery waits any more', async () => {
    isHigh = true;
    const taken = ask(60);
    const first = await after(0, taken);
    isHigh = false;
    expect(await after(0, taken)).toBe(first + 20);
  });
});

describe('the load of the intake', () => {
  it('is high while many deliveries wait and the event loop is busy, and for a moment after', async () => {
    let clock = 0;
    let utilization = 1;
    const load = createIntakeLoad(
      () => clock,
      () => utilization,
    );
    const stored: (() => void)[] = [];
    const waitOne = () => load.during(new Promise<void>((resolve) => stored.push(resolve)));
    const all = Array.from({ length: MANY_WAITING - 1 }, waitOne);
    expect(load.isHigh()).toBe(false);
    all.push(waitOne());
    expect(load.isHigh()).toBe(true);
    utilization = 0.5;
    expect(load.isHigh()).toBe(false);
    utilization = 1;
    for (const resolve of stored) resolve();
    await Promise.all(all);
    expect(load.isHigh()).toBe(true);
    clock += 50;
    expect(load.isHigh()).toBe(false);
  });

  it('counts what Redis refuses as ended', async () => {
    const load = createIntakeLoad(
      () => 0,
      () => 1,
    );
    for (let n = 0; n < 2 * MANY_WAITING; n++)
      await expect(load.during(Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(load.isHigh()).toBe(false);
  });
});
