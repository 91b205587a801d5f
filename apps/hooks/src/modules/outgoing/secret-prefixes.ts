/** Per prefix: one other text in sixteen passes the filter. */
const FILTER_SIZE = 16;
const SMALLEST_FILTER = 1 << 12;
const MAX_FILTER = 1 << 24;
/** Of FNV-1a. */
const FACTOR = 0x01000193;

/** The prefixes of one length. */
interface OfLength {
  length: number;
  numbers: Map<string, number[]>;
  /** 1 for the hash of a prefix. A hash is much faster than cutting text out and looking it up. */
  filter: Uint8Array | undefined;
}

function hashOf(text: string, at: number, length: number): number {
  let hash = 0;
  for (let i = at; i < at + length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FACTOR);
  return hash ^ (hash >>> 15);
}

function filterOf({ length, numbers }: OfLength): Uint8Array {
  let size = SMALLEST_FILTER;
  while (size < numbers.size * FILTER_SIZE && size < MAX_FILTER) size *= 2;
  const filter = new Uint8Array(size);
  for (const prefix of numbers.keys()) filter[hashOf(prefix, 0, length) & (size - 1)] = 1;
  return filter;
}

/** A table from prefixes to numbers, which finds all of them in one pass over a text. */
export function createSecretPrefixes() {
  const all: OfLength[] = [];

  function ofLength(length: number): OfLength {
    const known = all.find((one) => one.length === length);
    if (known) return known;
    const added: OfLength = { length, numbers: new Map(), filter: undefined };
    all.push(added);
    return added;
  }

  return {
    add(prefix: string, number: number): void {
      const one = ofLength(prefix.length);
      one.filter = undefined;
      const numbers = one.numbers.get(prefix);
      if (numbers) numbers.push(number);
      else one.numbers.set(prefix, [number]);
    },

    /** Visits the number of each prefix at this index of the text. */
    eachAt(text: string, at: number, visit: (number: number) => void): void {
      for (const one of all) {
        const { length } = one;
        if (at + length > text.length) continue;
        const filter = (one.filter ??= filterOf(one));
        if (filter[hashOf(text, at, length) & (filter.length - 1)] === 0) continue;
        one.numbers.get(text.slice(at, at + length))?.forEach(visit);
      }
    },

    /** Whether the text is the start of a longer prefix. */
    isPrefixOfOne(text: string): boolean {
      return all.some(({ length, numbers }) => {
        if (length <= text.length) return false;
        for (const prefix of numbers.keys()) if (prefix.startsWith(text)) return true;
        return false;
      });
    },
  };
}
