import { setFlagsFromString } from 'node:v8';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { createLogger, drainLog } from '../log.js';
import { type RunningServer, startServer } from '../server.js';
import { firstKeyMessage } from './first-key.js';
import { explainListenError } from './listen-error.js';

/** What a stop may take beyond STOP_SECONDS: ending runners, the last writes. */
const STOP_MARGIN_MS = 10_000;
/** How long a stop waits for the reader of the log. */
const LOG_PATIENCE_MS = 2_000;

/**
 * Runs the server until a signal ends it, and exits.
 * @throws StartupError when it can't start.
 */
export async function serve(config: Config): Promise<void> {
  // V8 clears away young objects on several threads at once. Here that is a few hundred microseconds of work many times
  // a second, and waking those threads costs more than they take off: measured on two cores, an eighth fewer executions.
  setFlagsFromString('--no-parallel-scavenge');
  const log = createLogger(config);
  process.on('uncaughtException', (error) => die(log, error));
  const signal = firstSignal();
  const server = await startServer(config, log).catch((error) => {
    throw explainListenError(error, config);
  });
  if (server.newKey !== null) {
    process.stdout.write(await firstKeyMessage(server.address, server.newKey, config.publicUrl));
  }
  await signal;
  await stop(server, config, log);
}

/** Resolves at the first SIGTERM or SIGINT; the second one ends the process at once. */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const count = (): void => {
      signals++;
      if (signals > 1) process.exit(1);
      resolve();
    };
    process.on('SIGTERM', count);
    process.on('SIGINT', count);
  });
}

async function stop(server: RunningServer, { stopSeconds }: Config, log: Logger): Promise<void> {
  log.info({ seconds: stopSeconds }, 'stopping: running executions may end');
  setTimeout(
    () => die(log, new Error('the server did not stop in time')),
    stopSeconds * 1_000 + STOP_MARGIN_MS,
  ).unref();
  try {
    await server.stop();
  } catch (error) {
    die(log, error);
  }
  await drainLog(log, LOG_PATIENCE_MS);
  process.exit(0);
}

/** What nobody expected: nothing is certain any more, and the next start finds every record. */
function die(log: Logger, error: unknown): never {
  // The log writes what it still holds when the process exits.
  log.fatal({ err: error }, 'the server ends because of an error');
  process.exit(1);
}
