/**
 * Places of the filter for each beginning: one text in sixteen gets through that is none of them.
 */
const FILTER_PLACES = 16;
const SMALLEST_FILTER = 1 << 12;
const MAX_FILTER = 1 << 24;
/** Of FNV-1a. */
const FACTOR = 0x01000193;

/**
 * A table from how things begin to their numbers, by which a text is looked through once, however
 * many there are.
 */
export interface SecretPrefixes {
  add(beginning: string, number: number): void;
  /** Calls back for each thing that may begin at this place of the text. */
  eachAt(text: string, at: number, visit: (number: number) => void): void;
  /** Whether something begins with these characters, and has more of them. */
  isBeginningOfOne(text: string): boolean;
}

/** Of one length: beginning → numbers. */
interface OfLength {
  length: number;
  numbers: Map<string, number[]>;
  /**
   * 1 where a beginning may be found: hashes are compared much faster than texts are cut out and
   * looked up.
   */
  filter: Uint8Array | undefined;
}

function hashOf(text: string, at: number, length: number): number {
  let hash = 0;
  for (let i = at; i < at + length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FACTOR);
  return hash ^ (hash >>> 15);
}

function filterOf({ length, numbers }: OfLength): Uint8Array {
  let size = SMALLEST_FILTER;
  while (size < numbers.size * FILTER_PLACES && size < MAX_FILTER) size *= 2;
  const filter = new Uint8Array(size);
  for (const beginning of numbers.keys()) filter[hashOf(beginning, 0, length) & (size - 1)] = 1;
  return filter;
}

export function createSecretPrefixes(): SecretPrefixes {
  const all: OfLength[] = [];

  function ofLength(length: number): OfLength {
    const known = all.find((one) => one.length === length);
    if (known) return known;
    const added: OfLength = { length, numbers: new Map(), filter: undefined };
    all.push(added);
    return added;
  }

  return {
    add(beginning, number) {
      const one = ofLength(beginning.length);
      one.filter = undefined;
      const numbers = one.numbers.get(beginning);
      if (numbers) numbers.push(number);
      else one.numbers.set(beginning, [number]);
    },

    eachAt(text, at, visit) {
      for (const one of all) {
        const { length } = one;
        if (at + length > text.length) continue;
        const filter = (one.filter ??= filterOf(one));
        if (filter[hashOf(text, at, length) & (filter.length - 1)] === 0) continue;
        one.numbers.get(text.slice(at, at + length))?.forEach(visit);
      }
    },

    isBeginningOfOne(text) {
      return all.some(({ length, numbers }) => {
        if (length <= text.length) return false;
        for (const beginning of numbers.keys()) if (beginning.startsWith(text)) return true;
        return false;
      });
    },
  };
}
