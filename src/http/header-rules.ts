import { ApiError } from '../errors.js';

const MAX_HEADERS = 100;
const MAX_BYTES = 16_384;
const NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/;
const RESERVED = /^x-appwrite-/i;
const FORBIDDEN_IN_VALUES = /[\r\n\0]/;

const BREACH =
  'Invalid headers: Alphanumeric characters or hyphens only, cannot start with "x-appwrite", maximum 100 keys, and total size 16384.';

/**
 * The `headers` of a create as the function gets them: names in lower case, numbers and booleans as strings.
 * Contract: executions, header rules.
 * @throws ApiError general_argument_invalid.
 */
export function checkHeaders(given: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers: Record<string, string> = {};
  let count = 0;
  let bytes = 0;
  for (const name in given) {
    const value = toText(given[name]);
    if (value === null || !NAME.test(name) || RESERVED.test(name) || FORBIDDEN_IN_VALUES.test(value)) {
      throw new ApiError('general_argument_invalid', BREACH);
    }
    count++;
    bytes += name.length + Buffer.byteLength(value);
    headers[name.toLowerCase()] = value;
  }
  if (count > MAX_HEADERS || bytes >= MAX_BYTES) throw new ApiError('general_argument_invalid', BREACH);
  return headers;
}

function toText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return null;
}
