import { ApiError } from '../errors.js';

const MINUTE_MS = 60_000;
const ISO_8601 = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * Checks 1 and 2 of the contract's `executions.md`, create. Without a zone the time is UTC.
 * @throws ApiError general_bad_request.
 */
export function checkScheduledAt(scheduledAt: string | undefined, isAsync: boolean, now: number): void {
  if (scheduledAt === undefined) return;
  if (!isAsync) {
    throw new ApiError(
      'general_bad_request',
      'Scheduled executions must run asynchronously. Set scheduledAt to a future date, or set async to true.',
    );
  }
  const time = parseMinute(scheduledAt);
  if (time === null || time < now + MINUTE_MS) {
    throw new ApiError(
      'general_bad_request',
      'Execution schedule must be a valid date, and at least 1 minute from now',
    );
  }
}

/** Ms since 1970 of a date whose seconds are zero, else null. */
function parseMinute(value: string): number | null {
  const match = ISO_8601.exec(value);
  if (!match) return null;
  const [, day, minute, seconds = '00', fraction = '0', zone = 'Z'] = match;
  if (Number(seconds) !== 0 || Number(fraction) !== 0) return null;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // Date.parse takes 30 February for 1 March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day!)) return null;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const time = Date.parse(`${day}T${minute}:00${offset}`);
  return Number.isNaN(time) ? null : time;
}
