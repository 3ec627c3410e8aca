let lastSecond = Number.NaN;
let lastText = '';

/**
 * A time (ms since 1970) as the wire has it: `YYYY-MM-DDTHH:mm:ss.SSS+00:00`. Formatting a date is dear, and those of
 * one answer are mostly of the same second, which is kept.
 */
export function toDate(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toISOString().slice(0, -4);
    lastSecond = second;
  }
  return `${lastText}${String(time - second * 1000).padStart(3, '0')}+00:00`;
}

/** The same where there may be none: `''`. */
export const toOptionalDate = (time: number | null): string => (time === null ? '' : toDate(time));
