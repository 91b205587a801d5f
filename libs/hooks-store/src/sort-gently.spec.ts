import { byCodeUnits, sortGently } from './sort-gently';

/** Always the same, and in no order. */
function numbers(count: number, below: number): number[] {
  let last = 1;
  return Array.from({ length: count }, () => (last = (last * 48_271) % 2_147_483_647) % below);
}

describe('sortGently', () => {
  it.each([0, 1, 2, 999, 1_000, 1_001, 25_017])(
    'sorts %i items as toSorted does',
    async (count) => {
      const items = numbers(count, 500).map((value, index) => ({ value, index }));
      const compare = (a: { value: number }, b: { value: number }) => a.value - b.value;
      expect(await sortGently(items, compare)).toEqual(items.toSorted(compare));
    },
  );

  it('sorts texts as sort does', async () => {
    const texts = [...numbers(3_000, 10_000).map(String), 'ä', 'Z', 'a', '\u{1f600}', '\uffff', ''];
    expect(await sortGently(texts, byCodeUnits)).toEqual(texts.toSorted());
  });

  it('lets others have their turn meanwhile', async () => {
    let turns = 0;
    let isDone = false;
    const take = (): void => {
      turns += 1;
      if (!isDone) setImmediate(take);
    };
    setImmediate(take);
    await sortGently(numbers(50_000, 50_000), (a, b) => a - b);
    isDone = true;
    expect(turns).toBeGreaterThan(50);
  });
});
