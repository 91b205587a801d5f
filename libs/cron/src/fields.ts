export interface Field {
  name: string;
  min: number;
  max: number;
  maxStep: number;
  /** Names of numbers, in lower case. */
  names: Readonly<Record<string, number>>;
  /** Whether `07` may be written for `7`. */
  leadingZero: boolean;
}

function named(names: readonly string[], first: number): Record<string, number> {
  return Object.fromEntries(
    names.flatMap((name, index) => [
      [name, first + index],
      [name.slice(0, 3), first + index],
    ]),
  );
}

const MONTHS = [
  ...['january', 'february', 'march', 'april', 'may', 'june'],
  ...['july', 'august', 'september', 'october', 'november', 'december'],
];
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

function numeric(name: string, min: number, max: number, maxStep = max): Field {
  return { name, min, max, maxStep, names: {}, leadingZero: true };
}

export const DAY_OF_MONTH = numeric('day of the month', 1, 31);
export const DAY_OF_WEEK: Field = {
  ...numeric('day of the week', 0, 6),
  names: named(WEEKDAYS, 0),
  leadingZero: false,
};

/** In order. Six fields have no seconds, five no year either. */
export const FIELDS: readonly Field[] = [
  numeric('second', 0, 59),
  numeric('minute', 0, 59),
  numeric('hour', 0, 23),
  DAY_OF_MONTH,
  { ...numeric('month', 1, 12), names: named(MONTHS, 1), leadingZero: false },
  DAY_OF_WEEK,
  numeric('year', 1970, 2099, 59),
];
