import { invalidQuery, typeName } from './errors.js';

/** One query as it was written, in either form; nothing about its meaning has been checked. */
export interface RawQuery {
  method: string;
  /** `''` when there is none. */
  attribute: string;
  values: unknown[];
}

/**
 * Reads the JSON form, `{"method": "equal", "attribute": "status", "values": ["completed"]}`.
 * @throws ApiError general_argument_invalid
 */
export function parseJsonForm(text: string): RawQuery {
  let query: unknown;
  try {
    query = JSON.parse(text);
  } catch {
    throw invalidQuery('Invalid query: Syntax error');
  }
  return readQuery(query);
}

/**
 * Checks the types of an object that stands for a query, either a whole one or one within `and` or `or`.
 * @throws ApiError general_argument_invalid
 */
export function readQuery(query: unknown): RawQuery {
  if (typeof query !== 'object' || query === null) {
    throw invalidQuery(`Invalid query. Must be an array, got ${typeName(query)}`);
  }
  // A list has none of the members, but methods of these names.
  const { method, attribute, values } = (Array.isArray(query) ? {} : query) as Record<string, unknown>;
  if (typeof (method ?? '') !== 'string') {
    throw invalidQuery(`Invalid query method. Must be a string, got ${typeName(method)}`);
  }
  if (typeof (attribute ?? '') !== 'string') {
    throw invalidQuery(`Invalid query attribute. Must be a string, got ${typeName(attribute)}`);
  }
  if (!Array.isArray(values ?? [])) {
    throw invalidQuery(`Invalid query values. Must be an array, got ${typeName(values)}`);
  }
  return {
    method: (method as string | null | undefined) ?? '',
    attribute: (attribute as string | null | undefined) ?? '',
    values: (values as unknown[] | null | undefined) ?? [],
  };
}
