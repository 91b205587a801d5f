/**
 * The names on the prototypes that everything inherits from, as they were before anything was
 * parsed.
 */
const INHERITED = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
const BEFORE = INHERITED.map((prototype) => Object.getOwnPropertyNames(prototype).join());

/** Fails when something parsed has become a property of every object. */
export function expectCleanPrototypes(): void {
  expect(INHERITED.map((prototype) => Object.getOwnPropertyNames(prototype).join())).toEqual(
    BEFORE,
  );
  expect(Object.getPrototypeOf(Object.prototype)).toBeNull();
}

export const MIB = 1024 * 1024;

/** `text` as often as it fits into so many characters. */
export function fill(text: string, characters = MIB): string {
  return text.repeat(Math.floor(characters / text.length));
}
