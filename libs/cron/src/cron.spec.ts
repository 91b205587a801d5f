import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createSchedule, CronError } from '.';

interface Row {
  cron: string;
  zone: string;
  from: string;
  /**
   * The next times, or `none`. One that is not after the one before says that the reference stands
   * still there.
   */
  times: string[];
}

const rows = JSON.parse(
  readFileSync(path.join(__dirname, 'reference-times.fixture.json'), 'utf8'),
) as Row[];

function nextTimes(cron: string, zone: string, from: string, count: number): string[] {
  const schedule = createSchedule(cron, zone);
  const times: string[] = [];
  let at = Date.parse(from);
  while (times.length < count) {
    const next = schedule.next(at);
    if (next === undefined) return [...times, 'none'];
    times.push(`${new Date(next).toISOString().slice(0, 19)}Z`);
    at = next;
  }
  return times;
}

/** The times of a row as far as each is after the one before. */
function forwardTimes({ from, times }: Row): string[] {
  return times.filter(
    (time, index) => time === 'none' || Date.parse(time) > Date.parse(times[index - 1] ?? from),
  );
}

function errorOf(cron: string, zone = 'UTC'): CronError {
  try {
    createSchedule(cron, zone);
  } catch (error) {
    if (error instanceof CronError) return error;
    throw error;
  }
  throw new Error(`${cron} in ${zone} was taken`);
}

describe("the reference's own next times", () => {
  it.each([...new Set(rows.map(({ zone }) => zone))])('are those of a schedule in "%s"', (zone) => {
    const inZone = rows.filter((row) => row.zone === zone);

    const ours = inZone.map((row) => ({
      ...row,
      times: nextTimes(row.cron, zone, row.from, forwardTimes(row).length),
    }));

    expect(ours).toEqual(inZone.map((row) => ({ ...row, times: forwardTimes(row) })));
  });

  it('are held in a table of several hundred rows, a few of which stand still', () => {
    const still = rows.filter((row) => forwardTimes(row).length < row.times.length);
    expect(rows.length).toBeGreaterThan(500);
    expect(still.length).toBeGreaterThan(0);
    expect(still.length).toBeLessThan(rows.length / 10);
    // New York and its likes, in spring, and nowhere else.
    expect(new Set(still.map(({ zone }) => zone.split('/')[0]))).toEqual(
      new Set(['America', 'EST5EDT']),
    );
  });
});

describe('where the reference stands still', () => {
  it('goes on with the first time that is later', () => {
    expect(nextTimes('0 * * * *', 'America/New_York', '2026-03-08T05:30:00Z', 3)).toEqual([
      '2026-03-08T06:00:00Z',
      '2026-03-08T07:00:00Z',
      '2026-03-08T08:00:00Z',
    ]);
    // 2:30 is left out there; the reference takes 1:30 for it.
    expect(nextTimes('30 2 * * *', 'America/New_York', '2026-03-08T05:30:00Z', 2)).toEqual([
      '2026-03-08T06:30:00Z',
      '2026-03-09T06:30:00Z',
    ]);
  });

  it('loses no second of a schedule that runs every second', () => {
    const before = Date.parse('2026-03-08T06:59:58Z');
    const schedule = createSchedule('* * * * * * *', 'America/New_York');
    expect([1, 2, 3].map((n) => schedule.next(before + n * 1000))).toEqual(
      [2, 3, 4].map((n) => before + n * 1000),
    );
  });

  it('is always later than it was asked for, in the second pass of a repeated hour, too', () => {
    const schedule = createSchedule('*/10 * * * * * *', 'America/New_York');
    for (let minute = 0; minute < 180; minute += 7) {
      const at = Date.parse('2026-11-01T04:45:00Z') + minute * 60_000;
      expect(schedule.next(at)).toBeGreaterThan(at);
    }
  });
});

describe('the time asked from', () => {
  it('may have a fraction of a second', () => {
    const schedule = createSchedule('* * * * * * *', 'Europe/Paris');
    const at = Date.parse('2026-11-26T12:00:00Z');
    expect(schedule.next(at)).toBe(at + 1000);
    expect(schedule.next(at + 999)).toBe(at + 1000);
    expect(schedule.next(at - 1)).toBe(at);
  });

  it('may be after the last time of all', () => {
    const schedule = createSchedule('0 0 1 1 * 2027', 'UTC');
    expect(schedule.next(Date.parse('2026-01-01T00:00:00Z'))).toBe(Date.parse('2027-01-01T00:00Z'));
    expect(schedule.next(Date.parse('2027-01-01T00:00:00Z'))).toBeUndefined();
  });
});

describe('the last time up to another', () => {
  it.each([
    ['* * * * * * *', '2026-11-20T10:00:00Z', '2026-11-26T12:34:56.789Z', '2026-11-26T12:34:56Z'],
    ['0 0 * * *', '2026-11-20T00:00:00Z', '2026-11-26T12:34:56Z', '2026-11-26T00:00:00Z'],
    ['0 0 * * *', '2026-11-26T00:00:00Z', '2026-11-26T12:34:56Z', '2026-11-26T00:00:00Z'],
    ['0 0 * * *', '2026-11-25T00:00:00Z', '2026-11-26T00:00:00Z', '2026-11-26T00:00:00Z'],
    ['0 0 29 2 *', '2016-02-29T00:00:00Z', '2028-02-28T23:59:59Z', '2024-02-29T00:00:00Z'],
    ['0 9,10 * * *', '2026-11-20T09:00:00Z', '2026-11-26T09:30:00Z', '2026-11-26T09:00:00Z'],
    ['0 0 1 1 * 2020-2022', '2020-01-01T00:00:00Z', '2026-11-26T09:30:00Z', '2022-01-01T00:00:00Z'],
  ])('of %s from %s to %s', (cron, time, until, latest) => {
    const found = createSchedule(cron, 'UTC').latest(Date.parse(time), Date.parse(until));
    expect(new Date(found).toISOString()).toBe(new Date(latest).toISOString());
  });
});

describe('a bad expression', () => {
  it.each([
    ['* 25 * * *', 3, 'field 2 (hour) at column 3: 25 is beyond 23'],
    ['61 * * * *', 1, 'field 1 (minute) at column 1: 61 is beyond 59'],
    ['0 61 * * * * *', 3, 'field 2 (minute) at column 3: 61 is beyond 59'],
    ['0 0 0 * *', 5, 'field 3 (day of the month) at column 5: 0 is below 1'],
    ['0 0 * * * 1969', 11, 'field 6 (year) at column 11: 1969 is below 1970'],
    ['* * * * 1-9', 11, 'field 5 (day of the week) at column 11: 9 is beyond 6'],
    ['1,2,x * * * *', 5, 'field 1 (minute) at column 5: "x" is no minute'],
    ['* * * ja *', 7, 'field 4 (month) at column 7: "ja" is no month'],
    ['1- * * * *', 3, 'field 1 (minute) at column 3: a value is missing'],
    ['*/0 * * * *', 3, 'field 1 (minute) at column 3: a step is a number from 1 to 59'],
    ['*/ * * * *', 3, 'field 1 (minute) at column 3: a step is a number'],
    ['* * * */13 *', 9, 'field 4 (month) at column 9: a step is a number from 1 to 12'],
    ['5-3 * * * *', 1, 'field 1 (minute) at column 1: the range "5-3" goes backwards'],
    ['* * * * 5-7', 11, 'a range cannot end in 7'],
    ['* * * 01 *', 7, 'field 4 (month) at column 7: write 1 in place of "01"'],
    ['007 * * * *', 1, 'write 7 in place of "007"'],
    ['* * * * L', 9, 'L alone is no day of the week'],
    ['* * * * 1#6', 11, 'a number from 1 to 5 has to follow #'],
    ['* * W * *', 5, 'field 3 (day of the month) at column 5: a value is missing'],
    ['* * 1-5W * *', 5, '"1-5" is no day of the month'],
    ['* * WL * *', 5, '"wl" is no day of the month'],
    [', * * * *', 1, 'it holds only commas'],
    ['* * * *', 8, 'it has 4 fields'],
    ['', 1, 'it has 0 fields'],
    ['0 0 * * * * * *', 15, 'it has 8 fields'],
    ['0\u00a00 * * *', 10, 'it has 4 fields'],
    ['@reboot', 1, 'at column 1: "@reboot" is unknown'],
    ['@Daily', 1, '"@Daily" is unknown, in lower case'],
    ['@midnight', 1, '"@midnight" is unknown'],
    [' @daily 2030', 9, 'at column 9: nothing may follow @daily'],
    ['0 0 30 2 *', 1, 'it never runs'],
    ['1'.repeat(1_001), 1_001, 'it is longer than 1000 characters'],
  ])('%s is refused with its column', (cron, column, message) => {
    const error = errorOf(cron);
    expect(error.message).toContain(message);
    expect(error.column).toBe(column);
  });
});

describe('a time zone', () => {
  it.each(['Europe/Pari', '+01:00', '../etc/passwd', ' ', 'toString', 'Factory'])(
    'called %s is refused',
    (zone) => {
      const error = errorOf('* * * * *', zone);
      expect(error.message).toContain(`${JSON.stringify(zone)} is no time zone`);
      expect(error.column).toBeUndefined();
    },
  );

  it('may be that of the process', () => {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const from = '2026-11-26T12:00:00Z';
    expect(nextTimes('30 2 * * *', 'Local', from, 2)).toEqual(
      nextTimes('30 2 * * *', own, from, 2),
    );
  });
});
