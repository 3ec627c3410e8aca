/** Schemas of parameters that several endpoints take. */
import { Type } from 'typebox';
import type { AttributeTable, ListQuery } from '../db/query.js';
import { collectQueries, parseQueries } from './query-language.js';
import { InvalidValue, looseBoolean, type ParameterKeywords } from './validation.js';

const ID = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}$/;
const NOT_AN_ID =
  "Parameter must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, period, hyphen, and underscore. Can't start with a special char";

/** An id in a path. Contract: management, 1.4. */
export const idParameter = (description: string, example: string) =>
  Type.String({
    description,
    minLength: 1,
    maxLength: 36,
    pattern: ID.source,
    examples: [example],
    read: (value: unknown) => {
      if (typeof value !== 'string' || !ID.test(value)) throw new InvalidValue(NOT_AN_ID);
      return value;
    },
  });

export const functionIdParameter = idParameter('Id of the function.', 'hello');
export const executionIdParameter = idParameter('Id of the execution.', '68b1c2d3e4f5a6b7c8d9');

/** A boolean that may come as a word or a digit too. */
export const looseBooleanParameter = (fallback: boolean, description: string) =>
  Type.Boolean({ description, default: fallback, read: looseBoolean });

/** The query string of a list over records with these attributes. */
export function listParameters(attributes: AttributeTable, minSearchLength: 0 | 1) {
  const queries: ParameterKeywords & object = {
    collect: collectQueries,
    read: (value: unknown) => parseQueries(value, attributes),
  };
  return Type.Object({
    queries: Type.Unsafe<ReturnType<typeof parseQueries>>({
      description: `Up to 100 queries of up to 4,096 characters each, e.g. \`{"method":"limit","values":[25]}\`. Attributes: ${Object.keys(attributes).join(', ')}.`,
      type: 'array',
      items: { type: 'string', minLength: 1, maxLength: 4096 },
      maxItems: 100,
      default: undefined,
      ...queries,
    }),
    search: Type.Optional(
      Type.String({ description: 'Words to look for.', minLength: minSearchLength, maxLength: 256 }),
    ),
    total: looseBooleanParameter(true, 'Whether to count all matches; if not, `total` is 0.'),
  });
}

/** The list query of a request whose query string `listParameters` has read. */
export function toListQuery(query: {
  queries: ReturnType<typeof parseQueries>;
  search?: string | undefined;
  total: boolean;
}): ListQuery {
  return { ...query.queries, ...(query.search && { search: query.search }), total: query.total };
}
