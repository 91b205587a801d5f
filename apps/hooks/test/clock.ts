/** The wall clock of this process, put forward or back: a day passes in no time. */
export interface TestClock {
  pass(ms: number): void;
  /** As it really is. */
  reset(): void;
}

/** Until `jest.restoreAllMocks()`. */
export function takeClock(): TestClock {
  const realNow = Date.now.bind(Date);
  let aheadMs = 0;
  jest.spyOn(Date, 'now').mockImplementation(() => realNow() + aheadMs);
  return {
    pass(ms) {
      aheadMs += ms;
    },
    reset() {
      aheadMs = 0;
    },
  };
}
