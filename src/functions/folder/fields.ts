import { FunctionFault } from './definition.js';

/** Readers of the fields of one function in a configuration file. `null` counts as not given. */
type Entry = Readonly<Record<string, unknown>>;

/**
 * Text; `''` if not given.
 * @throws FunctionFault when it is something else, missing though required, or longer than `max` characters.
 */
export function stringOf(
  entry: Entry,
  key: string,
  { required = false, max = Number.POSITIVE_INFINITY }: { required?: boolean; max?: number },
): string {
  const value = entry[key] ?? '';
  if (typeof value !== 'string') throw new FunctionFault(`its "${key}" must be a string`);
  if (required && value === '') throw new FunctionFault(`its "${key}" is missing`);
  if (value.length > max) throw new FunctionFault(`its "${key}" must have at most ${max} characters`);
  return value;
}

/** @throws FunctionFault when it is not an array of at most `max` strings. */
export function stringsOf(entry: Entry, key: string, max: number): string[] {
  const value = entry[key] ?? [];
  if (!Array.isArray(value) || value.length > max || value.some((item) => typeof item !== 'string')) {
    throw new FunctionFault(`its "${key}" must be an array of at most ${max} strings`);
  }
  return value;
}

/** @throws FunctionFault when it is not a whole number in the range. */
export function integerOf(
  entry: Entry,
  key: string,
  { min, max, missing }: { min: number; max: number; missing: number },
): number {
  const value = entry[key] ?? missing;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new FunctionFault(`its "${key}" must be a whole number from ${min} to ${max}`);
  }
  return value;
}

/** True if not given. @throws FunctionFault when it is not a boolean. */
export function booleanOf(entry: Entry, key: string): boolean {
  const value = entry[key] ?? true;
  if (typeof value !== 'boolean') throw new FunctionFault(`its "${key}" must be true or false`);
  return value;
}
