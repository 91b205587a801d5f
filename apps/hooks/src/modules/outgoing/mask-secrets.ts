import { createSecretPrefixes } from './secret-prefixes';
import { prefixesOf, formsOf } from './secret-forms';

/** A value that must not be seen, under the name that stands in its place. */
export interface Secret {
  name: string;
  value: string;
}

/** Lines of a secret (keys have many) that are masked by themselves. */
const SHORTEST_LINE = 8;
/** Names are longer than what they stand for where secrets have one character. */
const MAX_MASKED_LENGTH = 1024 * 1024;
/** Characters by which a form is found; a shorter form is found by all it has. */
const BEGINNING = 8;
/** Keys begin alike: more of a form is compared before all forms of a long value are made. */
const LONG_BEGINNING = 128;
/** Beginnings of forms, of all secrets of a run; 300 SSH keys have 0.2 million. */
const MAX_PREFIXES = 1_000_000;
/** Beyond it the forms of a value take tens of megabytes. */
const MAX_SECRET_LENGTH = 256 * 1024;
const MAX_FORM_CHARACTERS = 32 * 1024 * 1024;
/** Looks at a form that may begin at a place of a text, each of {@link CHARACTERS_AT_ONCE}. */
const MAX_LOOKS = 20_000_000;
const CHARACTERS_AT_ONCE = 64;
/** A value has fewer forms. */
const FORMS = 128;

/**
 * To find these secrets takes more work than one hook may cause. What may hold them must not be
 * shown then.
 */
export class TooMuchToMaskError extends Error {
  override readonly name = 'TooMuchToMaskError';
}

export interface MaskingOptions {
  /** Looks that all texts together may take; by default what a thread of its own may do. */
  mostLooks?: number;
}

export interface Masking {
  /**
   * The text with `**name**` in place of each secret.
   *
   * @throws TooMuchToMaskError
   */
  mask(text: string): string;
  /**
   * The same for a text that was cut off, which may end in the beginning of a secret.
   *
   * @throws TooMuchToMaskError
   */
  maskCut(text: string): string;
}

/** A value to look for, in all its forms. */
interface Part {
  name: string;
  value: string;
  /** Of a long one; made when it may have been found. */
  longPrefixes?: readonly string[];
  /** Longest first; made when one of them may have been found. */
  forms?: readonly Form[];
}

interface Form {
  text: string;
  /** In the order of secrets, lines and forms. */
  id: number;
}

/** What is hidden of a text: for each character the form that hides it, or -1. */
type Hidden = Int32Array;

/**
 * Prepares the masking of secrets in what people are shown: one pass over a text, whatever the
 * number of secrets. Each form is found by its first characters in a table; whether the rest
 * follows is compared at these places alone.
 *
 * Where several forms begin at one place the longest counts, and longer ones hide before shorter
 * ones that overlap them.
 *
 * @throws TooMuchToMaskError
 */
export function createMasking(
  secrets: readonly Secret[],
  { mostLooks = MAX_LOOKS }: MaskingOptions = {},
): Masking {
  const parts = partsOf(secrets);
  const secretPrefixes = createSecretPrefixes();
  let [added, looks, characters] = [0, 0, 0];
  for (const [number, { value }] of parts.entries()) {
    for (const beginning of prefixesOf(value, BEGINNING)) {
      secretPrefixes.add(beginning, number);
      added++;
    }
    if (added > MAX_PREFIXES) throw new TooMuchToMaskError('the run has too many secrets');
  }

  function countLook(length: number): void {
    looks += 1 + Math.floor(length / CHARACTERS_AT_ONCE);
    if (looks > mostLooks) throw new TooMuchToMaskError('the secrets of the run are too alike');
  }

  /** The forms of a part, of which one may begin here; none where none does. */
  function formsAt(text: string, at: number, number: number): readonly Form[] {
    countLook(0);
    const part = parts[number];
    if (!part) return [];
    if (part.value.length > LONG_BEGINNING) {
      part.longPrefixes ??= prefixesOf(part.value, LONG_BEGINNING);
      countLook(part.longPrefixes.length * CHARACTERS_AT_ONCE);
      const here = text.slice(at, at + LONG_BEGINNING);
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
    const free = createFreeSlots(text.length);
    for (const { at, length, id } of found) {
      for (let i = free.from(at); i < at + length; i = free.from(i)) {
        hidden[i] = id;
        free.take(i);
      }
    }
    return hidden;
  }

  /** What was put in place of a secret is not looked through again. */
  function show(text: string, hidden: Hidden): string {
    const shown: string[] = [];
    for (let from = 0, to = 0; from < text.length; from = to) {
      const by = hidden[from] ?? -1;
      while (to < text.length && hidden[to] === by) to++;
      shown.push(by < 0 ? text.slice(from, to) : `**${parts[Math.floor(by / FORMS)]?.name}**`);
    }
    return shown.join('').slice(0, MAX_MASKED_LENGTH);
  }

  /** Whether a form begins with the end of the text from here on, and has more. */
  function isCutAt(text: string, at: number): boolean {
    const left = text.length - at;
    if (left < BEGINNING && secretPrefixes.isBeginningOfOne(text.slice(at))) return true;
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
    mask: (text) => show(text, hide(text)),

    maskCut(text) {
      const hidden = hide(text);
      // What is hidden to its end needs no cut.
      const shown = hidden.lastIndexOf(-1) + 1;
      let at = Math.max(0, text.length - longestForm(parts));
      while (at < shown && !isCutAt(text, at)) at++;
      const end = at < shown ? at : text.length;
      return show(text.slice(0, end), hidden.subarray(0, end));
    },
  };
}

/**
 * No value twice: the first name stands for it.
 *
 * @throws TooMuchToMaskError
 */
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

/** Hex of a character takes six, an escape of HTML or of a URL up to twelve. */
const MAX_PER_CHARACTER = 12;

function longestForm(parts: readonly Part[]): number {
  const longest = parts.reduce((length, { value }) => Math.max(length, value.length), 0);
  return Math.max(BEGINNING, longest * MAX_PER_CHARACTER);
}

/** Which places of a text are free; a run of taken ones is passed in one step. */
function createFreeSlots(length: number) {
  const next = new Int32Array(length + 1);
  for (let i = 0; i <= length; i++) next[i] = i;

  /** The first free place from here on. */
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
