import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import type { TSchema } from 'typebox';
import { ApiError, type ErrorType, errorTypes } from '../errors.js';
import { componentSchemas, describeSchema } from './openapi-schema.js';
import type { HttpServices } from './services.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What can go wrong here beyond what can everywhere. */
    errors?: readonly ErrorType[];
    /** Examples: of the request's body, and by status of the answers. */
    examples?: Readonly<Record<string, unknown>>;
    /** The body and the answer may be multipart too. */
    multipart?: boolean;
    /** A direct call: not below `/v1`, raw bytes both ways. */
    direct?: boolean;
  }
}

type Json = Record<string, unknown>;

const SECURITY_SCHEMES = {
  Project: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Appwrite-Project',
    description: "The project's id. May be left out: a server has one project.",
  },
  Key: { type: 'apiKey', in: 'header', name: 'X-Appwrite-Key', description: 'An API key.' },
} as const;

const KEY_SECURITY = [{ Key: [] }, { Project: [], Key: [] }];

const TAGS = [
  { name: 'executions', description: 'Running functions, and the record of what has run.' },
  { name: 'direct calls', description: 'Functions as plain HTTP endpoints.' },
  { name: 'functions', description: 'Functions and the runtimes for them.' },
  { name: 'health', description: 'The server itself.' },
];

/**
 * Collects every route registered after this call into an OpenAPI 3.1 description. @fastify/swagger sees paths and
 * parameters only: it fails on models with a property `$id`, so bodies and answers are filled in here.
 */
export async function describeApi(app: FastifyInstance, { version }: HttpServices): Promise<void> {
  const routes = new Map<string, { schema: FastifySchema; route: RouteOptions }>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Executions server',
        version,
        description:
          'Runs functions and keeps a durable record of every execution. Speaks the wire format of the Appwrite Functions service.',
        license: { name: 'MIT', identifier: 'MIT' } as { name: string },
      },
      servers: [{ url: '/v1' }],
      tags: TAGS,
      components: { securitySchemes: SECURITY_SCHEMES as never },
    },
    transform: ({ schema, url, route }) => {
      if (!schema?.operationId || route.method === 'HEAD' || isHiddenDirectCall(route)) {
        return { schema: { hide: true }, url };
      }
      routes.set(schema.operationId, { schema, route });
      return { schema: parametersOf(schema, route), url: route.config?.direct ? `${url}/:path` : url };
    },
    transformObject: (document) => {
      const api = (document as { openapiObject: Json }).openapiObject;
      complete(api, routes);
      return api as never;
    },
  });
}

/** These two have no place in a generated client. */
const isHiddenDirectCall = ({ method, config }: RouteOptions): boolean =>
  config?.direct === true && (method === 'OPTIONS' || method === 'HEAD');

const PATH_BELOW = {
  type: 'string',
  description: 'The path for the function, of any number of segments.',
  examples: ['greet'],
};

function parametersOf(schema: FastifySchema, { config }: RouteOptions): FastifySchema {
  const { body: _body, response: _response, params, querystring, ...rest } = schema;
  const described: FastifySchema = { ...rest };
  if (params) {
    const plain = describeSchema(params as TSchema) as { properties: Json };
    if (config?.direct) plain.properties.path = PATH_BELOW;
    described.params = plain;
  }
  if (querystring) described.querystring = describeSchema(querystring as TSchema);
  return described;
}

function complete(api: Json, routes: Map<string, { schema: FastifySchema; route: RouteOptions }>): void {
  (api.components as Json).schemas = componentSchemas();
  for (const path of Object.values(api.paths as Record<string, Json>)) {
    for (const operation of Object.values(path) as Json[]) {
      const { schema, route } = routes.get(operation.operationId as string)!;
      const config = route.config ?? {};
      operation.security = securityOf(config.access);
      if (config.direct) {
        operation.servers = [{ url: '/' }];
        if (route.method !== 'GET') operation.requestBody = rawContent('Any bytes, up to 20 MiB.');
      }
      if (schema.body) operation.requestBody = requestBody(schema.body as TSchema, config);
      operation.responses = responses(schema, config);
    }
  }
}

function securityOf(access: NonNullable<RouteOptions['config']>['access']): Json[] {
  if (access === undefined || access === 'public') return [];
  return access.guests ? [{}, ...KEY_SECURITY] : KEY_SECURITY;
}

type Config = NonNullable<RouteOptions['config']>;

function requestBody(schema: TSchema, config: Config): Json {
  const described = describeSchema(schema);
  const json = { schema: described, example: config.examples?.request };
  return {
    content: {
      'application/json': json,
      ...(config.multipart && { 'multipart/form-data': { schema: described } }),
    },
  };
}

function responses(schema: FastifySchema, config: Config): Json {
  const result: Json = {};
  for (const [status, answer] of Object.entries((schema.response ?? {}) as Record<string, TSchema>)) {
    const { description } = answer as { description?: string };
    result[status] = {
      description,
      ...(status !== '204' && { content: answerContent(answer, status, config) }),
    };
  }
  if (config.direct) result.default = rawContent("The function's own answer.");
  return { ...result, ...errorResponses(schema, config) };
}

function answerContent(schema: TSchema, status: string, config: Config): Json {
  const described = describeSchema(schema);
  return {
    'application/json': { schema: described, example: config.examples?.[status] },
    ...(config.multipart && { 'multipart/form-data': { schema: described } }),
  };
}

const rawContent = (description: string): Json => ({ description, content: { '*/*': { schema: {} } } });

/** Every error answer of an operation, one entry for each status, with all the types it may have. */
function errorResponses(schema: FastifySchema, config: Config): Json {
  const types = new Set<ErrorType>([...commonErrors(schema, config), ...(config.errors ?? [])]);
  const byStatus = new Map<number, ErrorType[]>();
  for (const type of types) {
    const { status } = errorTypes.get(type)!;
    byStatus.set(status, [...(byStatus.get(status) ?? []), type]);
  }
  const result: Json = {};
  for (const [status, names] of byStatus) result[status] = errorResponse(status, names);
  if (schema.body || config.direct) result[413] = errorResponse(413, ['general_argument_invalid']);
  if (schema.body) result[415] = errorResponse(415, ['general_argument_invalid']);
  return result;
}

function commonErrors(schema: FastifySchema, { access }: Config): ErrorType[] {
  const common: ErrorType[] = ['general_unknown'];
  if (access !== undefined) common.push('user_jwt_invalid', 'project_not_found', 'user_unauthorized');
  if (access !== undefined && access !== 'public') common.push('general_unauthorized_scope');
  if (schema.params || schema.querystring || schema.body) common.push('general_argument_invalid');
  return common;
}

function errorResponse(code: number, types: ErrorType[]): Json {
  const type = types.at(-1)!;
  return {
    description: types.map((name) => `\`${name}\``).join(', '),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/Error' },
        example: { message: new ApiError(type).message, code, type, version: '0.1.0' },
      },
    },
  };
}
