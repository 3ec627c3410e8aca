import type { FastifyRequest } from 'fastify';

/** The host (with its port, if any) under which clients reach this server. */
export function ownHost(request: FastifyRequest, config: { publicUrl?: string | undefined }): string {
  if (config.publicUrl) return new URL(config.publicUrl).host;
  return request.host || 'localhost';
}
