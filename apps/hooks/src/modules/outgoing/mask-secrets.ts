import { createSecretPrefixes } from './secret-prefixes';
import { prefixesOf, formsOf } from './secret-forms';

/** A value to mask, and the name shown in its place. */
export interface Secret {
  name: string;
  value: string;
}

/** Longer lines of a secret (keys have many) are also masked one by one. */
const SHORTEST_LINE = 8;
/** A mask is longer than a secret of one character. */
const MAX_MASKED_LENGTH = 1024 * 1024;
/** Characters of a form in the table of prefixes. */
const PREFIX = 8;
/** Keys begin alike: more is compared before the forms of a long value are made. */
const LONG_PREFIX = 128;
/** Of all secrets of a run; 300 SSH keys have 0.2 million. */
const MAX_PREFIXES = 1_000_000;
/** The forms of a longer value take tens of megabytes. */
const MAX_SECRET_LENGTH = 256 * 1024;
const MAX_FORM_CHARACTERS = 32 * 1024 * 1024;
/** Comparisons of a form with a text, each of {@link CHARACTERS_AT_ONCE}. */
const MAX_LOOKS = 20_000_000;
const CHARACTERS_AT_ONCE = 64;
/** More than a value has forms. */
const FORMS = 128;

/** Masking takes more work than one hook may cause. The text must not be shown. */
export class TooMuchToMaskError extends Error {
  override readonly name = 'TooMuchToMaskError';
}

export type Masking = ReturnType<typeof createMasking>;

/** A value to find in all its forms. */
interface Part {
  name: string;
  value: string;
  /** Of a long value. Made when it may have been found. */
  longPrefixes?: readonly string[];
  /** Longest first. Made when one may have been found. */
  forms?: readonly Form[];
}

interface Form {
  text: string;
  /** In the order of secrets, lines and forms. */
  id: number;
}

/** For each character of a text the id of the form that hides it, or -1. */
type Hidden = Int32Array;

/**
 * Prepares the masking of secrets: one pass over a text for any number of secrets. A table finds
 * the prefixes of forms; the rest of a form is compared only there.
 *
 * Of several forms at one index the longest counts. Longer forms hide before shorter ones that
 * overlap them.
 *
 * @param mostLooks for all texts together
 * @throws TooMuchToMaskError
 */
export function createMasking(secrets: readonly Secret[], mostLooks = MAX_LOOKS) {
  const parts = partsOf(secrets);
  const secretPrefixes = createSecretPrefixes();
  let [added, looks, characters] = [0, 0, 0];
  for (const [number, { value }] of parts.entries()) {
    for (const prefix of prefixesOf(value, PREFIX)) {
      secretPrefixes.add(prefix, number);
      added++;
    }
    if (added > MAX_PREFIXES) throw new TooMuchToMaskError('the run has too many secrets');
  }

  function countLook(length: number): void {
    looks += 1 + Math.floor(length / CHARACTERS_AT_ONCE);
    if (looks > mostLooks) throw new TooMuchToMaskError('the secrets of the run are too alike');
  }

  /** The forms of a part, where one may begin here. */
  function formsAt(text: string, at: number, number: number): readonly Form[] {
    countLook(0);
    const part = parts[number];
    if (!part) return [];
    if (part.value.length > LONG_PREFIX) {
      part.longPrefixes ??= prefixesOf(part.value, LONG_PREFIX);
      countLook(part.longPrefixes.length * CHARACTERS_AT_ONCE);
      const here = text.slice(at, at + LONG_PREFIX);
      const isLike = (one: string): boolean => one.startsWith(here) || here.startsWith(one);
      if (!part.longPrefixes.some(isLike)) return [];
    }
    return (part.forms ??= made(number, formsOf(part.value)));
  }

  function made(number: number, texts: string[]): readonly Form[] {
    for (const text of texts) characters += text.length;
    if (characters > MAX_FORM_CHARACTERS) {
      throw new TooMuchToMaskError('the secrets of the run are too long');
    }
    const forms = texts.map((text, index) => ({ text, id: number * FORMS + index }));
    return forms.sort((a, b) => b.text.length - a.text.length);
  }

  /** The longest form that begins here. */
  function longestAt(text: string, at: number): Form | undefined {
    let longest: Form | undefined;
    secretPrefixes.eachAt(text, at, (number) => {
      for (const form of formsAt(text, at, number)) {
        if (form.text.length <= (longest?.text.length ?? 0)) break;
        countLook(form.text.length);
        if (text.startsWith(form.text, at)) longest = form;
      }
    });
    return longest;
  }

  function hide(text: string): Hidden {
    const found: { at: number; length: number; id: number }[] = [];
    for (let at = 0; at < text.length; at++) {
      const longest = longestAt(text, at);
      if (longest) found.push({ at, length: longest.text.length, id: longest.id });
    }
    found.sort((a, b) => b.length - a.length || a.id - b.id || a.at - b.at);
    const hidden = new Int32Array(text.length).fill(-1);
    const free = createFreeIndices(text.length);
    for (const { at, length, id } of found) {
      for (let i = free.from(at); i < at + length; i = free.from(i)) {
        hidden[i] = id;
        free.take(i);
      }
    }
    return hidden;
  }

  function show(text: string, hidden: Hidden): string {
    const shown: string[] = [];
    for (let from = 0, to = 0; from < text.length; from = to) {
      const by = hidden[from] ?? -1;
      while (to < text.length && hidden[to] === by) to++;
      shown.push(by < 0 ? text.slice(from, to) : `**${parts[Math.floor(by / FORMS)]?.name}**`);
    }
    return shown.join('').slice(0, MAX_MASKED_LENGTH);
  }

  /** Whether the rest of the text is a prefix of a longer form. */
  function isCutAt(text: string, at: number): boolean {
    const left = text.length - at;
    if (left < PREFIX && secretPrefixes.isPrefixOfOne(text.slice(at))) return true;
    let isCut = false;
    secretPrefixes.eachAt(text, at, (number) => {
      for (const form of isCut ? [] : formsAt(text, at, number)) {
        if (form.text.length <= left) break;
        countLook(left);
        isCut ||= form.text.startsWith(text.slice(at));
      }
    });
    return isCut;
  }

  return {
    /** The text with `**name**` in place of each secret. @throws TooMuchToMaskError */
    mask: (text: string): string => show(text, hide(text)),

    /**
     * For a text that was cut off, and may end in the prefix of a secret.
     * @throws TooMuchToMaskError
     */
    maskCut(text: string): string {
      const hidden = hide(text);
      const shown = hidden.lastIndexOf(-1) + 1;
      let at = Math.max(0, text.length - longestForm(parts));
      while (at < shown && !isCutAt(text, at)) at++;
      const end = at < shown ? at : text.length;
      return show(text.slice(0, end), hidden.subarray(0, end));
    },
  };
}

/** Each value once, with its first name. @throws TooMuchToMaskError */
function partsOf(secrets: readonly Secret[]): Part[] {
  const names = new Map<string, string>();
  for (const { name, value } of secrets) {
    if (value.length > MAX_SECRET_LENGTH) {
      throw new TooMuchToMaskError(`a secret has more than ${MAX_SECRET_LENGTH} characters`);
    }
    const lines = value.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE);
    for (const part of [value, ...lines]) if (!names.has(part)) names.set(part, name);
  }
  names.delete('');
  return [...names].map(([value, name]) => ({ name, value }));
}

/** Hex takes six characters for one, an escape of HTML or of a URL up to twelve. */
const MAX_PER_CHARACTER = 12;

function longestForm(parts: readonly Part[]): number {
  const longest = parts.reduce((length, { value }) => Math.max(length, value.length), 0);
  return Math.max(PREFIX, longest * MAX_PER_CHARACTER);
}

/** The free indices of a text. A run of taken ones is passed in one step. */
function createFreeIndices(length: number) {
  const next = new Int32Array(length + 1);
  for (let i = 0; i <= length; i++) next[i] = i;

  /** The first free index from here on. */
  function from(at: number): number {
    let free = at;
    while ((next[free] ?? free) !== free) free = next[free] ?? free;
    for (let i = at; i !== free;) {
      const after = next[i] ?? free;
      next[i] = free;
      i = after;
    }
    return free;
  }

  return { from, take: (at: number) => void (next[at] = at + 1) };
}
