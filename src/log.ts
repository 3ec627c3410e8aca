import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from './config.js';
import { toDate } from './dates.js';

/** Secrets that could come along in a logged object. Headers are never logged on purpose. */
const SECRETS = [
  'apiKey',
  'key',
  'secret',
  'config.apiKey',
  'headers.authorization',
  'headers.cookie',
  'headers["x-appwrite-key"]',
  'headers["x-appwrite-jwt"]',
];

const BUFFER_BYTES = 32_768;
const WRITE_BYTES = 65_536;
/** A line waits for others at most this long, ms. */
const FLUSH_MS = 100;

/**
 * The server's log, on stdout: readable in a terminal, else one JSON object a line. Lines are written in the
 * background; what is still to be written when the process exits is written then.
 */
export function createLogger({ logLevel }: { logLevel: LogLevel }): Logger {
  const destination = process.stdout.isTTY
    ? pretty({ translateTime: 'SYS:HH:MM:ss.l', singleLine: true, sync: true })
    : bufferedStdout();
  return pino(
    {
      level: logLevel,
      base: undefined,
      timestamp: () => `,"time":"${toDate(Date.now())}"`,
      redact: SECRETS,
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    destination,
  );
}

/** Lines leave together, so that a busy server does not pay a system call for each. */
function bufferedStdout() {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: BUFFER_BYTES,
    maxWrite: WRITE_BYTES,
  });
  setInterval(() => destination.flush(), FLUSH_MS).unref();
  return destination;
}
