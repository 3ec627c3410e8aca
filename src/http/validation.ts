import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { ApiError } from '../errors.js';

/**
 * Reads a value from the wire: answers what the handler gets.
 * @throws InvalidValue with the validator text of the contract.
 */
export type Reader = (value: unknown) => unknown;

/** Keywords of ours in the schema of a parameter, beside those of JSON Schema. They stay out of the API description. */
export interface ParameterKeywords {
  /** Replaces the check that follows from the schema, and converts. */
  read?: Reader;
  /** Gathers the value from all parameters, where it is not simply the one of this name; `read` is then always called. */
  collect?: (input: Readonly<Record<string, unknown>>) => unknown;
}

/** A value that breaks its parameter's rule; the message is the validator's text. */
export class InvalidValue extends Error {
  override name = 'InvalidValue';
}

interface Parameter extends ParameterKeywords {
  name: string;
  read: Reader;
  required: boolean;
  fallback: unknown;
}

type PropertySchema = TSchema &
  ParameterKeywords & {
    type?: string;
    default?: unknown;
    enum?: string[];
    minLength?: number;
    maxLength?: number;
    minimum?: number;
    maximum?: number;
  };

/**
 * Makes the validator of a route's params, query string or body: parameters are read one by one in the order in
 * which the schema declares them, and the first failure wins. A `null` counts as not given, a missing parameter gets
 * its default, an unknown one is ignored. Contract: management, 1.2 and 1.3.
 * @throws Error at start when a schema says something that is not checked here and brings no reader.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const parameters = compile(schema);
  return (input: unknown) => {
    try {
      return { value: readParameters(parameters, input) };
    } catch (error) {
      return { error: error as Error };
    }
  };
};

/** The error for a parameter that breaks its rule. */
export function invalidParameter(name: string, text: string): ApiError {
  return new ApiError('general_argument_invalid', `Invalid \`${name}\` param: ${text}`);
}

function compile(schema: TSchema): Parameter[] {
  const { properties, required = [] } = schema as unknown as {
    properties: Record<string, PropertySchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    read: property.read ?? readerOf(name, property),
    ...(property.collect && { collect: property.collect }),
    required: required.includes(name) && !('default' in property),
    fallback: property.default,
  }));
}

function readParameters(parameters: Parameter[], input: unknown): Record<string, unknown> {
  const given = toObject(input);
  const values: Record<string, unknown> = {};
  for (const parameter of parameters) {
    const { name } = parameter;
    const value = (parameter.collect ? parameter.collect(given) : given[name]) ?? parameter.fallback;
    if (value === undefined && !parameter.collect) {
      if (parameter.required)
        throw new ApiError('general_argument_invalid', `Param "${name}" is not optional.`);
      continue;
    }
    try {
      values[name] = parameter.read(value);
    } catch (error) {
      throw error instanceof InvalidValue ? invalidParameter(name, error.message) : error;
    }
  }
  return values;
}

/** No body, `null` and `[]` (an empty array is how PHP spells an empty object) are all the empty set. */
function toObject(input: unknown): Record<string, unknown> {
  if (input === null || input === undefined) return {};
  if (Array.isArray(input) && input.length === 0) return {};
  if (typeof input !== 'object' || Array.isArray(input)) {
    throw new ApiError('general_argument_invalid', 'The request body must be a JSON object.');
  }
  return input as Record<string, unknown>;
}

function readerOf(name: string, schema: PropertySchema): Reader {
  if (schema.enum) return whitelist(schema.enum);
  if (schema.type === 'string' && schema.maxLength !== undefined) {
    return text(schema.minLength ?? 0, schema.maxLength);
  }
  if (schema.type === 'integer' && schema.minimum !== undefined && schema.maximum !== undefined) {
    return range(schema.minimum, schema.maximum);
  }
  if (schema.type === 'boolean') return strictBoolean;
  throw new Error(`nothing checks the parameter "${name}": give its schema limits or a reader`);
}

/** A string of `min` to `max` characters (code points). */
export function text(min: number, max: number): Reader {
  const atLeast = min > 0 ? ` and at least ${min} chars` : '';
  const message = `Value must be a valid string${atLeast} and no longer than ${max} chars`;
  return (value) => {
    if (typeof value !== 'string' || value.length < min || isLonger(value, max))
      throw new InvalidValue(message);
    return value;
  };
}

/** Counts code points, and only where the number of UTF-16 units leaves it open. */
function isLonger(value: string, max: number): boolean {
  if (value.length <= max) return false;
  if (value.length > 2 * max) return true;
  let surrogatePairs = 0;
  for (let i = 0; i < value.length; i++) {
    if (value.codePointAt(i)! > 0xffff) {
      surrogatePairs++;
      i++;
    }
  }
  return value.length - surrogatePairs > max;
}

function whitelist(values: readonly string[]): Reader {
  const message = `Value must be one of (${values.join(', ')})`;
  return (value) => {
    if (!values.includes(value as string)) throw new InvalidValue(message);
    return value;
  };
}

function range(min: number, max: number): Reader {
  const message = `Value must be a valid range between ${min.toLocaleString('en-US')} and ${max.toLocaleString('en-US')}`;
  return (value) => {
    const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
    if (!Number.isInteger(number) || (number as number) < min || (number as number) > max) {
      throw new InvalidValue(message);
    }
    return number;
  };
}

const NOT_BOOLEAN = 'Value must be a valid boolean';

function strictBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new InvalidValue(NOT_BOOLEAN);
  return value;
}

/** Also `"true"`, `"false"`, `"1"`, `"0"`, 1 and 0. */
export function looseBoolean(value: unknown): boolean {
  if (value === true || value === 'true' || value === '1' || value === 1) return true;
  if (value === false || value === 'false' || value === '0' || value === 0) return false;
  throw new InvalidValue(NOT_BOOLEAN);
}
