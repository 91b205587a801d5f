import { isTooComplex } from './json-weight';

describe('isTooComplex', () => {
  it('counts at least as many values as a text holds', () => {
    const text = (value: unknown) => Buffer.from(JSON.stringify(value));
    expect(isTooComplex(text(Array(100).fill({})), 100)).toBe(true);
    expect(isTooComplex(text(Array(100).fill(0)), 100)).toBe(false);
    expect(isTooComplex(text({ a: { b: [1, 2] } }), 5)).toBe(true);
    expect(isTooComplex(text('x'.repeat(1_000)), 0)).toBe(false);
    expect(isTooComplex(Buffer.alloc(0), 0)).toBe(false);
  });
});
