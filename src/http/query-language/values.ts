import type { Attribute, QueryValue } from '../../db/query.js';

const DATE =
  /^\d{4}-(\d{2})-(\d{2})(?:[T ]([01]\d|2[0-4]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * The value a query compares with, in the type of its attribute: dates become ms since 1970.
 * @returns undefined when the value doesn't fit; `null` fits no attribute
 */
export function convertValue(value: unknown, type: Attribute['type']): QueryValue | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    case 'date':
      return typeof value === 'string' ? parseDate(value) : undefined;
  }
}

/** An ISO 8601 date, with or without a time; without a time zone it is UTC. */
function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const [, month, day, hour, zone] = match;
  // The parser of the language takes 30 February for 1 March.
  const date = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (date.getUTCMonth() + 1 !== Number(month) || date.getUTCDate() !== Number(day)) return undefined;
  const iso = hour === undefined || zone !== undefined ? text : `${text}Z`;
  const ms = Date.parse(iso.replace(' ', 'T').replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(ms) ? undefined : ms;
}

/** A whole number, or the text of one; undefined for what is no number at all, NaN for other numbers. */
export function readInteger(value: unknown): number | undefined {
  const isText = typeof value === 'string' && /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(value);
  if (typeof value !== 'number' && !isText) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}
