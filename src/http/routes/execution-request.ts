import { Type } from 'typebox';
import { MAX_EXECUTION_BODY_BYTES } from '../../engine/channel.js';
import { ApiError } from '../../errors.js';
import { looseBooleanParameter } from '../parameters.js';
import { EXECUTION_METHODS } from '../response-format.js';
import { InvalidValue, text } from '../validation.js';

const MAX_BODY_CHARACTERS = 10_485_760;
const MAX_PATH_CHARACTERS = 2_048;
const MAX_HEADERS_CHARACTERS = 65_535;

/** The parameters of a create in the contract's order, which is the order they are checked in. */
export const ExecutionRequestModel = Type.Object(
  {
    body: Type.Unsafe<Buffer>({
      type: 'string',
      maxLength: MAX_BODY_CHARACTERS,
      default: '',
      description: "The request's body for the function. As multipart any bytes.",
      read: readBody,
    }),
    async: looseBooleanParameter(false, 'Answer at once and run in the background.'),
    path: Type.String({
      maxLength: MAX_PATH_CHARACTERS,
      default: '/',
      description: 'Path for the function, with a query string if there is one.',
      read: readPath,
    }),
    method: Type.Optional(
      Type.Enum(EXECUTION_METHODS as unknown as [...typeof EXECUTION_METHODS], {
        type: 'string',
        documentedDefault: 'GET',
        description: "The request's method for the function.",
      }),
    ),
    headers: Type.Unsafe<Record<string, unknown>>({
      anyOf: [
        { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
        { type: 'string', maxLength: MAX_HEADERS_CHARACTERS, description: 'The object as JSON text.' },
        { type: 'array', maxItems: 0 },
      ],
      default: {},
      description:
        'Headers for the function: at most 100, together less than 16,384 bytes, of letters, digits and hyphens, none that starts with `x-appwrite-`.',
      read: readHeaders,
    }),
    scheduledAt: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: 'When to run it: ISO 8601, a whole minute, at least one minute ahead. Not offered yet.',
      }),
    ),
  },
  { title: 'ExecutionRequest' },
);

export const executionRequestExample = {
  body: '{"name":"Ada"}',
  async: false,
  path: '/greet?name=Ada',
  method: 'POST',
  headers: { 'content-type': 'application/json' },
};

const readBodyText = text(0, MAX_BODY_CHARACTERS);

function readBody(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  const body = Buffer.from(readBodyText(value) as string);
  if (body.length > MAX_EXECUTION_BODY_BYTES) {
    throw new ApiError(
      'general_argument_invalid',
      `The body has ${body.length} bytes as UTF-8; the limit is ${MAX_EXECUTION_BODY_BYTES} bytes (20 MiB).`,
      { status: 413 },
    );
  }
  return body;
}

const readPathText = text(0, MAX_PATH_CHARACTERS);

function readPath(value: unknown): string {
  const path = readPathText(value) as string;
  if (/[\r\n\0]/.test(path)) throw new InvalidValue('Value must not contain line breaks or NUL characters');
  return path.startsWith('/') ? path : `/${path}`;
}

const readHeadersText = text(0, MAX_HEADERS_CHARACTERS);

function readHeaders(value: unknown): Record<string, unknown> {
  const headers = typeof value === 'string' ? parseHeaders(readHeadersText(value) as string) : value;
  if (Array.isArray(headers) && headers.length === 0) return {};
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw new InvalidValue('Value must be a valid object');
  }
  return headers as Record<string, unknown>;
}

function parseHeaders(json: string): unknown {
  if (json === '') return {};
  try {
    return JSON.parse(json);
  } catch {
    throw new InvalidValue('Value must be a valid object');
  }
}
