import type { TSchema } from 'typebox';
import { ErrorModel } from './models/error.js';
import { ExecutionListModel, ExecutionModel, HeaderModel } from './models/execution.js';
import { FunctionListModel, FunctionModel, VariableModel } from './models/function.js';
import { HealthModel, VersionModel } from './models/health.js';
import { RuntimeListModel, RuntimeModel } from './models/runtime.js';
import { ExecutionRequestModel } from './routes/execution-request.js';

type Json = Record<string, unknown>;

/** Models that the description names; their `title` is the name, wherever they stand. */
const MODELS = [
  ErrorModel,
  ExecutionModel,
  ExecutionListModel,
  ExecutionRequestModel,
  FunctionModel,
  FunctionListModel,
  RuntimeModel,
  RuntimeListModel,
  HeaderModel,
  HealthModel,
  VariableModel,
  VersionModel,
];

const NAMES: ReadonlySet<string> = new Set(MODELS.map(titleOf));

/** All named models, for `components.schemas`. */
export function componentSchemas(): Record<string, Json> {
  return Object.fromEntries(
    [...MODELS]
      .sort((a, b) => titleOf(a).localeCompare(titleOf(b)))
      .map((model) => [titleOf(model), plain(model)]),
  );
}

/** A schema as the description has it: named models become references, keywords of ours are left out. */
export function describeSchema(schema: TSchema): Json {
  const title = titleOf(schema);
  return NAMES.has(title) ? { $ref: `#/components/schemas/${title}` } : plain(schema);
}

function titleOf(schema: unknown): string {
  return String((schema as { title?: string }).title ?? '');
}

function plain(schema: object): Json {
  const {
    documentedDefault,
    title: _title,
    required,
    ...rest
  } = schema as Json & {
    properties?: Record<string, Json>;
  };
  const result: Json = {};
  for (const [key, value] of Object.entries(rest)) {
    if (typeof value === 'function' || value === undefined) continue;
    result[key] = key === 'properties' ? plainProperties(value as Json) : plainValue(value);
  }
  if (documentedDefault !== undefined) result.default = documentedDefault;
  // What has a default may be left out.
  const needed = ((required as string[]) ?? []).filter(
    (name) => !('default' in (rest.properties?.[name] ?? {})),
  );
  if (needed.length > 0) result.required = needed;
  return result;
}

const plainProperties = (properties: Json): Json =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, describeSchema(value as TSchema)]),
  );

function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  return typeof value === 'object' && value !== null ? describeSchema(value as TSchema) : value;
}
