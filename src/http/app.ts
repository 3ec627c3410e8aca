import { randomBytes } from 'node:crypto';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { ApiError } from '../errors.js';
import { requireAccess } from './auth.js';
import { clientErrorHandler, errorHandler } from './errors.js';
import { parseJsonBody } from './json-body.js';
import { describeApi } from './openapi.js';
import { logRequests } from './request-log.js';
import { rewriteUrl } from './rewrite-url.js';
import { callFunction } from './routes/call-function.js';
import { createExecution } from './routes/create-execution.js';
import { deleteExecution } from './routes/delete-execution.js';
import { serveDocumentation } from './routes/documentation.js';
import { getExecution } from './routes/get-execution.js';
import { getFunction } from './routes/get-function.js';
import { health } from './routes/health.js';
import { listExecutions } from './routes/list-executions.js';
import { listFunctions } from './routes/list-functions.js';
import { listRuntimes } from './routes/list-runtimes.js';
import type { HttpServices } from './services.js';
import type { App } from './types.js';
import { validatorCompiler } from './validation.js';

/** JSON requests, raw: a body of 10 MiB of characters can take six bytes each when escaped. */
const JSON_LIMIT_BYTES = 64 * 1024 * 1024;

/** How long a client may take to send its headers and its whole request, and how long an idle connection stays, ms. */
const HEADERS_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 120_000;
const KEEP_ALIVE_MS = 72_000;

/** Longer than any URL that Node accepts, so that a long id gets our answer and not the router's. */
const MAX_PARAM_LENGTH = 65_536;

const ROUTES = [
  createExecution,
  listExecutions,
  getExecution,
  deleteExecution,
  listFunctions,
  getFunction,
  listRuntimes,
  health,
];

/** The http layer: routes, checks and answers over these services. It does not listen yet. */
export async function buildApp(services: HttpServices): Promise<FastifyInstance> {
  const app = createFastify(services);
  app.setValidatorCompiler(validatorCompiler);
  // Measured on a sync create: a serialiser compiled from the schema is not faster than JSON.stringify.
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler(errorHandler(services));
  app.setNotFoundHandler(() => {
    throw new ApiError('general_route_not_found');
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(body as string));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({ 'x-request-id': request.id, server: 'executions-server' });
    done();
  });
  logRequests(app, services);
  app.decorateRequest('caller', null as never);
  await describeApi(app, services);
  await app.register(async (scope: FastifyInstance) => {
    scope.addHook('onRequest', (request, reply, done) => {
      reply.header('x-content-type-options', 'nosniff');
      if (request.protocol === 'https') reply.header('strict-transport-security', 'max-age=10886400');
      done();
    });
    await scope.register(
      async (api: FastifyInstance) => {
        requireAccess(api, services);
        for (const route of ROUTES) await api.register(async (routes: App) => route(routes, services));
      },
      { prefix: '/v1' },
    );
    await serveDocumentation(scope);
  });
  await app.register(async (scope: FastifyInstance) => callFunction(scope as App, services));
  await app.ready();
  return app;
}

function createFastify(services: HttpServices): FastifyInstance {
  const handleError = errorHandler(services);
  const bootId = randomBytes(4).toString('hex');
  let requests = 0;
  return Fastify({
    // Without its own lines about listening: the server writes one.
    loggerInstance: services.log.child(
      {},
      { level: services.log.isLevelEnabled('info') ? 'warn' : services.log.level },
    ) as unknown as FastifyBaseLogger,
    // One logger for all requests: the only line of a request names its id itself.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => `${bootId}-${(++requests).toString(36)}`,
    // The nearest proxy only: what clients write into the header themselves stands further left.
    trustProxy: services.config.trustProxy ? (_address: string, hop: number) => hop === 0 : false,
    rewriteUrl: (request) => rewriteUrl(request.url ?? '/'),
    bodyLimit: JSON_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, request, reply) => handleError(error, request as FastifyRequest, reply as never),
    clientErrorHandler: clientErrorHandler(services),
  }) as unknown as FastifyInstance;
}
