import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.js';
import type { Caller } from '../executions/types.js';
import { ownHost } from './own-host.js';
import type { HttpServices } from './services.js';

/** Who may call a route: `public` is everybody; else any one of the scopes suffices. */
export type Access = 'public' | { scopes: readonly string[]; guests: boolean };

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** The route also answers clients that name the project `console`. */
    consoleProject?: boolean;
  }
  interface FastifyRequest {
    caller: Caller;
  }
}

const GUEST: Caller = { kind: 'guest' };

/** Deprecated names of scopes, which keys may still hold. Contract: management, 6. */
const OLD_SCOPES: Readonly<Record<string, string>> = {
  'executions.read': 'execution.read',
  'executions.write': 'execution.write',
};

/**
 * Makes every route of this scope check project, credentials and scopes before anything else, in the contract's order
 * (management, 1.3). A route that does not say who may call it stops the start.
 */
export function requireAccess(app: FastifyInstance, services: HttpServices): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.access) throw new Error(`${method} ${url} does not say who may call it`);
  });
  app.addHook('onRequest', async (request) => {
    refuseUserTokens(request);
    checkProject(request, services.config.projectId);
    request.caller = await identify(request, services);
    checkScopes(request, services);
  });
}

/** End users come with tokens; a caller who sends one must not be taken for a guest. */
function refuseUserTokens({ headers }: FastifyRequest): void {
  if (headers['x-appwrite-jwt']) {
    throw new ApiError(
      'user_jwt_invalid',
      'Failed to verify JWT. This server does not take user tokens (X-Appwrite-JWT); use an API key (X-Appwrite-Key) or call as a guest.',
    );
  }
}

function checkProject(request: FastifyRequest, projectId: string): void {
  const given = request.headers['x-appwrite-project'];
  if (!given || given === projectId) return;
  if (given === 'console' && request.routeOptions.config.consoleProject) return;
  throw new ApiError('project_not_found');
}

async function identify({ headers }: FastifyRequest, { keys }: HttpServices): Promise<Caller> {
  const secret = headers['x-appwrite-key'];
  if (!secret) return GUEST;
  const key = await keys.find(String(secret));
  if (!key) throw new ApiError('user_unauthorized');
  return { kind: 'key', id: key.id, scopes: key.scopes };
}

function checkScopes(request: FastifyRequest, services: HttpServices): void {
  const { access } = request.routeOptions.config;
  const { caller } = request;
  if (access === 'public' || access === undefined) return;
  const allowed =
    caller.kind === 'guest' ? access.guests : access.scopes.some((scope) => holds(caller.scopes, scope));
  if (allowed) return;
  const who =
    caller.kind === 'guest'
      ? 'User (role: guests)'
      : `app.${services.config.projectId}@service.${ownHost(request, services.config)} (role: applications)`;
  throw new ApiError(
    'general_unauthorized_scope',
    `${who} missing scopes (${JSON.stringify(access.scopes)})`,
  );
}

const holds = (held: readonly string[], scope: string): boolean =>
  held.includes(scope) || (OLD_SCOPES[scope] !== undefined && held.includes(OLD_SCOPES[scope]));
