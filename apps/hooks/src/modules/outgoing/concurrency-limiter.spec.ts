import { waitFor } from '@cds/testing';
import { createConcurrencyLimiter, type Slot } from './concurrency-limiter';

const limits = { max: 6, maxPerProject: 3, maxPerHost: 2 };

function start(reservedMs = 600_000) {
  const resumed: string[] = [];
  const limiter = createConcurrencyLimiter({
    limits,
    reservedMs,
    resume: (hook) => void resumed.push(hook),
  });
  let hooks = 0;
  const take = (project: string, host?: string): Slot | undefined => {
    const slot = limiter.take(`${project}${hooks++}`, project);
    return !slot || host === undefined || slot.takeHost(host) ? slot : undefined;
  };
  const takeAll = (project: string): Slot[] =>
    Array.from({ length: 100 }, () => take(project)).filter((slot) => slot !== undefined);
  return { limiter, resumed, take, takeAll };
}

describe('executions at once', () => {
  it('are bounded for a project, and in all', () => {
    const { takeAll } = start();
    expect(takeAll('A')).toHaveLength(3);
    expect(takeAll('B')).toHaveLength(3);
    expect(takeAll('C')).toHaveLength(0);
  });

  it('are bounded for a host, whoever calls it and however it is written', () => {
    const { take } = start();
    expect(take('A', 'silent')).toBeDefined();
    expect(take('B', 'silent.')).toBeDefined();
    const slot = take('C');
    expect(slot?.takeHost('silent')).toBe(false);
    expect(slot?.fullHost).toBe('silent');
    expect(take('C', 'other')).toBeDefined();
  });

  it('are given back once, with their host', () => {
    const { take, takeAll } = start();
    const slots = [take('A', 'h'), take('A', 'h')];
    for (const slot of slots) slot?.release();
    slots[0]?.release();
    expect(take('B', 'h')).toBeDefined();
    expect(take('B', 'h')).toBeDefined();
    expect(takeAll('A')).toHaveLength(3);
    expect(takeAll('B')).toHaveLength(1);
  });

  it('are of the host that is called in the end', () => {
    const { take } = start();
    const slot = take('A', 'h');
    expect(slot?.takeHost('h')).toBe(true);
    expect(slot?.takeHost('i')).toBe(true);
    expect(take('B', 'h')).toBeDefined();
    expect(take('B', 'h')).toBeDefined();
    expect(take('C', 'h')).toBeUndefined();
  });
});

describe('a hook that waits', () => {
  it('is resumed when a slot of its project is free, in its order, and has that slot', () => {
    const { limiter, resumed, takeAll } = start();
    const slots = takeAll('A');
    for (const hook of ['first', 'second', 'third']) limiter.wait(hook, 'A', undefined);
    limiter.wait('first', 'A', undefined);
    expect(resumed).toEqual([]);
    slots[0]?.release();
    expect(resumed).toEqual(['first']);
    expect(limiter.take('new', 'A')).toBeUndefined();
    expect(limiter.take('second', 'A')).toBeUndefined();
    const slot = limiter.take('first', 'A');
    expect(slot).toBeDefined();
    slots[1]?.release();
    slot?.release();
    expect(resumed).toEqual(['first', 'second', 'third']);
  });

  it('lets those pass that wait for another host', () => {
    const { limiter, resumed, take } = start();
    const silent = [take('A', 'silent'), take('B', 'silent')];
    const third = [take('A'), take('A')];
    limiter.wait('a-silent', 'A', 'silent');
    limiter.wait('a-other', 'A', 'other');
    third[0]?.release();
    expect(resumed).toEqual(['a-other']);
    silent[1]?.release();
    third[1]?.release();
    expect(resumed).toEqual(['a-other', 'a-silent']);
    expect(limiter.take('a-silent', 'A')?.takeHost('silent')).toBe(true);
    expect(take('C', 'silent')).toBeUndefined();
  });

  it('does not wait for a project that has more of them', () => {
    const { limiter, resumed, takeAll } = start();
    const others = [...takeAll('X'), ...takeAll('Y')];
    for (let i = 0; i < 50; i++) limiter.wait(`a${i}`, 'A', undefined);
    limiter.wait('b0', 'B', undefined);
    limiter.wait('b1', 'B', undefined);
    for (const slot of others.slice(0, 4)) slot.release();
    expect(resumed).toEqual(['a0', 'b0', 'a1', 'b1']);
  });

  it('is resumed at once when a slot came free before its job had paused', () => {
    const { limiter, resumed, takeAll } = start();
    const slots = takeAll('A');
    expect(limiter.take('late', 'A')).toBeUndefined();
    slots[0]?.release();
    limiter.wait('late', 'A', undefined);
    limiter.wait('late', 'A', undefined);
    expect(resumed).toEqual(['late', 'late']);
    expect(limiter.take('other', 'A')).toBeUndefined();
  });

  it('leaves its slot to the next one when it does not come', async () => {
    const { limiter, resumed, takeAll } = start(20);
    const [slot] = takeAll('A');
    limiter.wait('went to a replica', 'A', undefined);
    limiter.wait('next', 'A', undefined);
    slot?.release();
    await waitFor(() => resumed.length === 2);
    expect(resumed).toEqual(['went to a replica', 'next']);
  });

  it('is remembered in bounded memory', () => {
    const { limiter, resumed, takeAll } = start();
    const slots = [...takeAll('X'), ...takeAll('Y')];
    for (let i = 0; i < 1_000; i++) limiter.wait(`a${i}`, 'A', undefined);
    slots.pop()?.release();
    for (let i = 0; i < 1_000; i++) limiter.take(resumed.at(-1) ?? '', 'A')?.release();
    expect(resumed).toHaveLength(200);
  });
});
