import { ApiError } from '../../errors.js';

/** The error of a `queries` parameter that is no valid list of queries; the texts are the contract's. */
export function invalidParam(text: string): ApiError {
  return new ApiError('general_argument_invalid', `Invalid \`queries\` param: ${text}`);
}

/** The error of one query that is not valid. */
export function invalidQuery(text: string): ApiError {
  return invalidParam(`Invalid query: ${text}`);
}

/** The error of a query that is well-formed, but that the database can't answer. */
export function unsupported(text: string): ApiError {
  return new ApiError('general_query_invalid', text);
}

/** The names that stand in the error texts for the types of JSON. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'double';
  return typeof value;
}
