import type { Config } from '../config.js';
import { StartupError } from '../errors.js';

/** An error of `listen` as one that says what to change; any other error as it is. */
export function explainListenError(error: unknown, { host, port }: Pick<Config, 'host' | 'port'>): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return error;
  switch (code) {
    case 'EADDRINUSE':
      return new StartupError(
        `Port ${port} on ${host} is taken by another program. Stop that, or set another PORT.`,
      );
    case 'EACCES':
      return new StartupError(`This user may not listen on port ${port}. Set a PORT of 1024 or more.`);
    default:
      return new StartupError(
        `The server can't listen on ${host} (${code}). Set HOST to an address of this machine.`,
      );
  }
}
