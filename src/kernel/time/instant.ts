const dayMs = 86_400_000;

/** Days in 400 years, after which the calendar repeats. */
const eraDays = 146_097;

/** From 0000-03-01, where an era begins, to 1970-01-01, in days. */
const epochDays = 719_468;

/** The most that a date can be in four digits of a year, ms: the end of 9999. */
const writtenMsMax = 253_402_300_799_999;

/**
 * Writes an instant in UTC, ISO 8601 to the millisecond, as `Date.prototype.toISOString` does; for
 * messages that people read in the record. Beyond the years 1970 to 9999 it is a number.
 *
 * Days to a date: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
 */
export function writeInstant(atMs: number): string {
  if (!(atMs >= 0 && atMs <= writtenMsMax)) return `${atMs} ms`;
  const days = Math.floor(atMs / dayMs);
  const ms = Math.floor(atMs % dayMs);
  const clock = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1_000) % 60];
  const time = clock.map((amount) => digits(Math.floor(amount), 2)).join(":");
  return `${writeDate(days)}T${time}.${digits(ms % 1_000, 3)}Z`;
}

/** Years begin in March here, so that a leap day is the last of its year. */
function writeDate(daysSince1970: number): string {
  const days = daysSince1970 + epochDays;
  const era = Math.floor(days / eraDays);
  const dayOfEra = days - era * eraDays;
  const leaps =
    Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
}

function digits(amount: number, count: number): string {
  return String(amount).padStart(count, "0");
}
