/** The wall clock of this process, put forward or back: a day passes in no time. */
export interface TestClock {
  pass(ms: number): void;
  /** As it really is. */
  reset(): void;
}

/**
 * Puts the clock where the tests of the file or `describe` that calls it say; as it really is
 * before each. Called behind `useTestContext`, whose services stop by the time of the test before.
 */
export function useClock(): TestClock {
  let aheadMs = 0;
  const clock: TestClock = {
    pass(ms) {
      aheadMs += ms;
    },
    reset() {
      aheadMs = 0;
    },
  };
  beforeAll(() => {
    const realNow = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => realNow() + aheadMs);
  });
  beforeEach(clock.reset);
  afterAll(() => jest.restoreAllMocks());
  return clock;
}
