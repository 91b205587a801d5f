import { createBudget, HELPERS, interpolate, MAX_WORK, TooMuchWorkError } from './index';

const NOTHING = new Map<string, string>();

/** Whether so much is enough for a text. */
function isWithin(text: string, characters: number, steps: number): boolean {
  try {
    interpolate(text, NOTHING, { budget: createBudget({ characters, steps }) });
    return true;
  } catch (error) {
    if (error instanceof TooMuchWorkError) return false;
    throw error;
  }
}

describe('the work of expressions', () => {
  it('is bounded over all of them, each as small as it likes', () => {
    const template = '{{repeat 1000000 "a"|upper|trunc 1}}'.repeat(250);
    expect(() => interpolate(template, NOTHING)).toThrow(TooMuchWorkError);
    expect(() => interpolate(template, NOTHING)).toThrow(
      `more than ${MAX_WORK.characters} characters in all: use fewer helpers, or shorter values`,
    );
  });

  /** What a helper needs before the text that it works on. */
  const BEFORE = new Map([
    ...['trimall', 'trimAll', 'trimSuffix', 'trimPrefix'].map((name) => [name, '"x"'] as const),
    ...['abbrev', 'trunc', 'indent', 'nindent', 'repeat', 'sub'].map(
      (name) => [name, '1'] as const,
    ),
    ...['substr', 'abbrevboth'].map((name) => [name, '9 9'] as const),
    ...['replace', 'ternary'].map((name) => [name, '"a" "b"'] as const),
  ]);
  /** Helpers that take no text, or something else at the end. */
  const OTHERWISE = new Map([
    ...['randAlphaNum', 'randAlpha', 'randASCII', 'randNumeric'].map(
      (name) => [name, `{{${name} 100000 | trunc 1}}`] as const,
    ),
    ['plural', '{{plural .big .big 1 | trunc 1}}'],
    // A text that is no number is 0, by which nothing can be divided.
    ['div', '{{div .big 7}}'],
    ['mod', '{{mod .big 7}}'],
  ]);

  it.each([...HELPERS.keys()])('counts what %s does', (name) => {
    const variables = new Map([['big', 'aB_ /'.repeat(20_000)]]);
    const expression =
      OTHERWISE.get(name) ?? `{{.big | ${name} ${BEFORE.get(name) ?? ''} | toString | trunc 1}}`;
    // Of both a twentieth: the whole takes its time.
    const budget = createBudget({ ...MAX_WORK, characters: MAX_WORK.characters / 20 });
    expect(() => interpolate(expression.repeat(1_000 / 20), variables, { budget })).toThrow(
      TooMuchWorkError,
    );
  });

  it('is shared by texts that belong together', () => {
    const budget = createBudget({ characters: 250, steps: 100 });
    const fill = () => interpolate('{{repeat 100 "a" | trunc 1}}', NOTHING, { budget });
    expect(fill()).toBe('a');
    expect(fill).toThrow(TooMuchWorkError);
  });

  it('holds values in brackets and in pipelines, read and written', () => {
    // `ab` is read, `abab` written; `abab` is read, `ABAB` written.
    expect(isWithin('{{upper (repeat 2 "ab")}}', 14, 100)).toBe(true);
    expect(isWithin('{{upper (repeat 2 "ab")}}', 13, 100)).toBe(false);
  });

  it('is bounded in the number of expressions, also where they are left as they are written', () => {
    expect(isWithin('{{.unknown}}'.repeat(10), 0, 20)).toBe(true);
    expect(isWithin('{{.unknown}}'.repeat(10), 0, 19)).toBe(false);
    expect(() => interpolate('{{.unknown}}'.repeat(20_000), NOTHING)).toThrow(
      `more than ${MAX_WORK.steps} expressions and values in them in all: use fewer`,
    );
  });

  it('counts the text again for each 250 characters that are searched for in it', () => {
    // Such a search is quadratic in V8: this one would take minutes.
    const half = '(repeat 250000 "a")';
    const old = `(replace "-" ${half} (replace "+" ${half} "-b+"))`;
    expect(() => interpolate(`{{repeat 1000000 "a" | replace ${old} ""}}`, NOTHING)).toThrow(
      TooMuchWorkError,
    );
    expect(isWithin('{{replace "b" "" (repeat 100 "ab")}}', 502, 100)).toBe(true);
  });
});
